import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, existsSync } from 'node:fs'
import { startTemporal } from './temporal/server.ts'
import { temporalBinary } from './temporal/binary.ts'
import { prepareDatabase } from './temporal/database.ts'
import { Connection, Client } from '@temporalio/client'
const binary = await temporalBinary()
const SA = { RedemptionAccount: 'Keyword', RedemptionReward: 'Keyword', RedemptionStatus: 'Keyword', RedemptionPayment: 'Keyword' } as const
const KEEPFULL = ['default_idx', 'by_workflow_id', 'by_workflow_type', 'by_status']
const TAIL = `(COALESCE(close_time, '9999-12-31 23:59:59+00:00')) DESC, start_time DESC, run_id`
function tune(file: string, mode: string) {
  const py = `
import sqlite3,sys,re
c=sqlite3.connect(${JSON.stringify(file)})
keep=set(${JSON.stringify(KEEPFULL)})
mode=${JSON.stringify(mode)}
rows=c.execute("select name,sql from sqlite_master where type='index' and tbl_name='executions_visibility' and sql is not null").fetchall()
for n,s in rows:
  if n in keep: continue
  if mode=='drop-kw' and n.startswith('by_keyword'): continue
  c.execute('drop index '+n)
  m=re.search(r'namespace_id, *(\\w+),',s)
  if mode=='partial' or (mode=='partial-kw' and (n.startswith('by_keyword') or n in ('by_temporal_namespace_division','by_temporal_scheduled_by_id','by_parent_workflow_id'))):
    c.execute(s+' WHERE '+m.group(1)+' IS NOT NULL')
c.commit()
print(len(c.execute("select name from sqlite_master where type='index' and tbl_name='executions_visibility'").fetchall()),'indexes')
`
  if (mode !== 'all') console.log(execFileSync('python3', ['-c', py]).toString().trim())
}
async function run(mode: string) {
  rmSync('/tmp/load', { recursive: true, force: true }); mkdirSync('/tmp/load')
  const file = '/tmp/load/t.db'
  const p0 = performance.now(); if (mode === 'prepared') { await prepareDatabase({ binary, dbFile: file, namespace: 'default', searchAttributes: SA, onProgress: console.log }); console.log('prepared in', Math.round(performance.now()-p0)) }
  const s = await startTemporal({ binary, dbFile: file, namespace: 'default', searchAttributes: SA })
  const connection = await Connection.connect({ address: s.address })
  const client = new Client({ connection })
  const one = (i: number) => client.workflow.start('redemption', { workflowId: `rdm_${mode}_${i}`, taskQueue: 'engagement', startDelay: '30 minutes', args: [{ releasesAt: new Date().toISOString(), account: 'loy_abc' + i % 50, reward: 'rwd_5' }], searchAttributes: { RedemptionAccount: ['loy_abc' + i % 50], RedemptionReward: ['rwd_fivecredit'] } })
  for (let i = 0; i < 100; i++) await one(-1 - i)
  const N = 2000; let next = 0; const t0 = performance.now()
  await Promise.all(Array.from({ length: 16 }, async () => { while (next < N) await one(next++) }))
  const t1 = performance.now()
  // until all visible
  let n = 0; while (n < N) { n = Number((await client.workflow.count(`WorkflowType="redemption"`)).count) - 100; }
  const t2 = performance.now()
  const q0 = performance.now(); let k = 0; for await (const _ of client.workflow.list({ query: 'RedemptionAccount="loy_abc7"' })) k++; const q1 = performance.now()
  console.log(mode, 'starts/s', Math.round(N / (t1 - t0) * 1000), 'all visible/s', Math.round(N / (t2 - t0) * 1000), 'list', k, Math.round(q1 - q0) + 'ms')
  await connection.close(); await s.stop()
}
for (const mode of process.argv.slice(2)) await run(mode)
