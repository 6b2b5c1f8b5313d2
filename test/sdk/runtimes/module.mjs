import process from 'node:process'
import * as sdk from '../../../sdk/dist/index.js'
import { check } from './check.mjs'

console.log(JSON.stringify(await check(sdk, JSON.parse(process.argv[2]))))
