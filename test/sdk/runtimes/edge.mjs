import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import process from 'node:process'

/** Vercel's edge runtime, which takes a script and knows nothing of Node: `node edge.mjs <settings> <folder>`. */
const [, , settings, folder] = process.argv
const { EdgeRuntime } = createRequire(`${folder}/`)('edge-runtime')
const read = (path) => readFile(new URL(path, import.meta.url), 'utf8')
const common = await read('sdk/dist/index.cjs')
const script = (await read('check.mjs')).replace('export async function', 'async function')
const runtime = new EdgeRuntime()
const saw = await runtime.evaluate(`
  const module = { exports: {} };
  (function () { ${common}
  })();
  ${script}
  check(module.exports, ${settings}).then((saw) => JSON.stringify(saw))
`)
console.log(saw)
