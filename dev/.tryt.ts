import { temporalBinary } from './temporal/binary.ts'
import { startTemporal } from './temporal/server.ts'
import { Connection } from '@temporalio/client'
const t0 = performance.now(); const t = () => Math.round(performance.now() - t0)
const binary = await temporalBinary({ onProgress: console.log })
console.log(t(), binary)
const [dbFile, mode] = process.argv.slice(2)
const s = await startTemporal({ binary, dbFile: dbFile === '-' ? undefined : dbFile, port: 7344, uiPort: 8344, namespace: 'default', searchAttributes: { RedemptionAccount: 'Keyword', RedemptionReward: 'Keyword', ...(mode === 'more' ? { Extra: 'Int' } : {}) } })
console.log(t(), s)
const c = await Connection.connect({ address: s.address })
console.log(t(), (await c.operatorService.listSearchAttributes({ namespace: 'default' })).customAttributes)
console.log((await c.workflowService.describeNamespace({namespace:'default'})).config)
await c.close()
if (s.uiUrl) console.log((await fetch(s.uiUrl)).status)
if (mode === 'kill') s.kill(); else await s.stop()
console.log(t(), 'stopped', await s.exited)
