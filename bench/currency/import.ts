import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { childrenCpu, cpuPerTask } from '../cpu-time.ts'
import { ACCOUNTS, openPlace, type Place, timed } from './place.ts'

const CHECK_EVERY_MS = 50
const AT_ONCE = 500 // as many locks as one transaction should hold
const Import = z.object({ id: z.string(), status: z.string() })
const HEADER = 'account,amount,reason,expires_at,metadata.note'

/** Opening balances of a legacy provider, some accounts several times, every tenth row a debit. */
const row = (i: number, expires: string): [string, number, string] =>
  i % 10 === 9 && i >= ACCOUNTS
    ? [accountOf(i), -1, '']
    : [accountOf(i), 100 + (i % 1_000), expires]
const accountOf = (i: number) => `loy_${1 + ((i * 7_919) % ACCOUNTS)}`

/**
 * An import as a caller sees it, from the first byte sent to the status `completed`, against what the
 * same rows cost by hand: COPY into a table, then the ledger's function for each row, on one connection.
 */
export async function benchImport(rows: number) {
  const place = await openPlace('import')
  try {
    const file = join(place.dir, 'rows.csv')
    const expires = new Date(Date.now() + 400 * 86_400_000).toISOString()
    const lines = Array.from({ length: rows }, (_, i) => {
      const [account, amount, date] = row(i, expires)
      return `${account},${amount},opening_balance,${date},row ${i}`
    })
    await writeFile(file, `${[HEADER, ...lines].join('\n')}\n`, { mode: 0o644 })
    const before = childrenCpu()
    const endToEnd = await imported(place, file, rows)
    const cpuMs = cpuPerTask(before, childrenCpu(), rows)
    return { rows, ...endToEnd, cpuMsPerRow: cpuMs, byHand: await byHand(place, file, rows) }
  } finally {
    await place.stop()
  }
}

async function imported({ product, apiKey, owner }: Place, file: string, rows: number) {
  const headers = { 'X-Api-Key': apiKey, 'Content-Type': 'text/csv; charset=utf-8' }
  const url = `${product.apiUrl}/v1/loyalty/imports`
  let id = ''
  const begun = performance.now()
  const acceptedSeconds = await timed(async () => {
    const answer = await fetch(`${url}?batch=bench`, {
      method: 'POST',
      headers,
      body: Readable.toWeb(createReadStream(file)),
      duplex: 'half',
    })
    const body = await answer.text()
    if (answer.status !== 201) throw new Error(body)
    id = Import.parse(JSON.parse(body)).id
  })
  for (;;) {
    const answer = await fetch(`${url}/${id}`, { headers })
    if (Import.parse(await answer.json()).status === 'completed') break
    await delay(CHECK_EVERY_MS)
  }
  const seconds = (performance.now() - begun) / 1_000
  const { rows: found } = await owner.query(
    `select count(*)::int as n from ptx where batch = 'bench'`,
  )
  if (found[0].n !== rows) throw new Error(`${found[0].n} of ${rows} rows are in the ledger`)
  return { seconds, rowsPerSecond: rows / seconds, acceptedSeconds }
}

/** No checks, no report, no progress, nothing to resume or to reverse: what the rows themselves cost. */
async function byHand({ owner, workspace }: Place, file: string, rows: number) {
  await owner.query(
    'create table staging (account text, amount bigint, reason text, expires_at timestamptz, note text)',
  )
  const copySeconds = await timed(() =>
    owner.query(`copy staging from '${file}' with (format csv, header true)`),
  )
  await owner.query('alter table staging add n serial primary key')
  const functionSeconds = await timed(async () => {
    for (let from = 1; from <= rows; from += AT_ONCE) {
      await owner.query({
        name: 'by_hand',
        text: `select count(ledger.points_post($1, account, 'adjust', amount, reason, 'hand:' || n, '', now(), expires_at, 'hand',
            null, jsonb_build_object('note', note), true)) from staging where n >= $2 and n < $3`,
        values: [workspace, from, from + AT_ONCE],
      })
    }
  })
  const seconds = copySeconds + functionSeconds
  return { seconds, rowsPerSecond: rows / seconds, copySeconds, functionSeconds }
}
