import process from 'node:process'
import { check } from './check.mjs'
import * as sdk from './sdk/dist/index.js'

console.log(JSON.stringify(await check(sdk, JSON.parse(process.argv[2]))))
