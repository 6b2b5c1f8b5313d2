const process = require('node:process')
const sdk = require('./sdk/dist/index.cjs')

void import('./check.mjs')
  .then(({ check }) => check(sdk, JSON.parse(process.argv[2])))
  .then((saw) => console.log(JSON.stringify(saw)))
