import { parseArgs } from 'node:util'
import { busyShare } from '../cpu-time.ts'
import { thisMachine } from '../machine.ts'
import { readResult, writeResult } from '../results.ts'
import { benchExpiry } from './expiry.ts'
import { benchImport } from './import.ts'
import { benchLiability } from './liability.ts'

/**
 * `npm run bench:currency -- [import expiry liability] [--rows 200000] [--lots 1000000]
 * [--transactions 1000000,10000000] [--dry]`: what an import, a night's expiry and liability cost. Each
 * part replaces its own figures in results/currency.json; the others stay as they were measured.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: '200000' },
    lots: { type: 'string', default: '1000000' },
    transactions: { type: 'string', default: '1000000,10000000' },
    dry: { type: 'boolean', default: false },
  },
})

const PARTS = {
  import: () => benchImport(Number(values.rows)),
  expiry: () => benchExpiry(Number(values.lots)),
  liability: () => benchLiability(values.transactions.split(',').map(Number)),
}
type Part = keyof typeof PARTS
const isPart = (name: string): name is Part => name in PARTS

const unknown = positionals.find((name) => !isPart(name))
if (unknown !== undefined)
  throw new Error(`There is no ${unknown}: ${Object.keys(PARTS).join(', ')}`)
const wanted =
  positionals.length > 0 ? positionals.filter(isPart) : Object.keys(PARTS).filter(isPart)

for (const part of wanted) {
  // What others use before it begins: above a fifth no figure is worth quoting.
  const busyBefore = await busyShare()
  const figures = await PARTS[part]()
  const found = { date: new Date().toISOString(), machine: thisMachine(), busyBefore, ...figures }
  console.log(part, JSON.stringify(found, null, 2))
  if (!values.dry) {
    writeResult('currency', { ...readResult<Record<string, unknown>>('currency'), [part]: found })
  }
}
