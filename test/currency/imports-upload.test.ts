import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type Server,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { json } from 'node:stream/consumers'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { ndjsonLines } from '../../api/imports/lines.ts'
import { uploaded } from '../../api/imports/upload.ts'
import { UploadLost } from '../../app/imports.ts'
import { newId } from '../../domain/ids.ts'
import { createLog } from '../../process/log.ts'
import { openShop, type Shop } from '../api/shop.ts'

const IMPORTS = '/v1/loyalty/imports'
const log = createLog({ level: 'warn', name: 'test' }, { write: () => {} })

let shop: Shop
let account: string
let server: Server

beforeAll(async () => {
  shop = await openShop()
  account = (await shop.post('/v1/loyalty/accounts')).body.id
  server = createServer(shop.app).listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(async () => {
  expect(await left()).toEqual({ uploads: 0, chunks: 0 })
})
afterAll(async () => {
  server.close()
  await shop.close()
})

/** Uploads, and chunks that no import has. */
const left = async () =>
  (
    await shop.owner.query(
      `select (select count(*)::int from bulk_upload) as uploads,
         (select count(*)::int from bulk_chunk c where not exists (
           select from bulk b where b.workspace = c.workspace and b.id = c.bulk)) as chunks`,
    )
  ).rows[0]
const imports = async () =>
  (await shop.owner.query('select count(*)::int as n from bulk')).rows[0].n

const rows = (n: number, from = 0) =>
  Array.from(
    { length: n },
    (_, i) => `${JSON.stringify({ account, amount: 1, key: String(from + i) })}\n`,
  ).join('')

/** A request whose body is sent as the test says. */
function opened(key = newId('op')): { sent: ClientRequest; answer: Promise<IncomingMessage> } {
  const sent = request({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    path: IMPORTS,
    method: 'POST',
    headers: {
      'X-Api-Key': shop.keys.secretKey,
      'Content-Type': 'application/x-ndjson',
      'Idempotency-Key': key,
    },
  })
  const answer = once(sent, 'response').then(([one]) => one as IncomingMessage)
  answer.catch(() => {}) // where the test cuts it off
  return { sent, answer }
}
async function send(body: string, key?: string) {
  const { sent, answer } = opened(key)
  sent.end(body)
  return answered(await answer)
}
const answered = async (answer: IncomingMessage) => ({
  status: answer.statusCode,
  body: (await json(answer)) as { id: string; error: { code: string; message: string } },
})
const chunksLeft = () => expect.poll(async () => (await left()).chunks, { timeout: 30_000 })

it('rows are in the database while the file is still sent, and no import has them before its end', async () => {
  const before = await imports()
  const { sent, answer } = opened()
  sent.write(rows(2_000))
  await chunksLeft().toBe(4)
  expect(await imports()).toBe(before)
  expect((await shop.get(`${IMPORTS}?limit=100`)).body.data).toHaveLength(before)
  sent.end(rows(10, 2_000))
  const { status, body } = await answered(await answer)
  expect(status).toBe(201)
  await expect
    .poll(async () => (await shop.get(`${IMPORTS}/${body.id}`)).body, { timeout: 30_000 })
    .toMatchObject({ status: 'completed', total: 2_010, posted: 2_010, refused: 0 })
})

it('a file that is refused at its end leaves nothing', async () => {
  const before = await imports()
  const { sent, answer } = opened('refused')
  sent.write(rows(2_000))
  await chunksLeft().toBe(4)
  sent.end(rows(1))
  const { status, body } = await answered(await answer)
  expect([status, body.error.message]).toMatchObject([400, /^Line 2001 is wrong: .*line 1;/])
  expect(await left()).toEqual({ uploads: 0, chunks: 0 })
  expect(await imports()).toBe(before)
  expect((await send(rows(2_000), 'refused')).status).toBe(201)
})

it('a client that goes away leaves nothing, and may send the file again', async () => {
  const before = await imports()
  const { sent } = opened('away')
  sent.on('error', () => {})
  sent.write(rows(2_000))
  await chunksLeft().toBe(4)
  sent.destroy()
  await expect.poll(left, { timeout: 30_000 }).toEqual({ uploads: 0, chunks: 0 })
  expect(await imports()).toBe(before)
  expect((await send(rows(2_000), 'away')).status).toBe(201)
})

it('the same file sent twice at once under one key is one import', async () => {
  const both = [opened('both'), opened('both')]
  for (const { sent } of both) sent.write(rows(1_000))
  await chunksLeft().toBe(4)
  for (const { sent } of both) sent.end(rows(10, 1_000))
  const [one, two] = await Promise.all(both.map(async ({ answer }) => answered(await answer)))
  expect(new Set([one?.status, two?.status])).toEqual(new Set([200, 201]))
  expect(one?.body.id).toBe(two?.body.id)
})

const ofOtherProcesses = async (n: number) => {
  const uploads = Array.from({ length: n }, () => ({ workspace: shop.workspace, id: newId('upl') }))
  for (const upload of uploads) {
    expect(await shop.commands.openUpload(upload, 4)).toBe(true)
    await shop.commands.keepChunk(upload, { no: 0, rows: '[]' })
  }
  return uploads
}
const silent = (id?: string) =>
  shop.owner.query(`update bulk_upload set alive_at = now() - interval '2 minutes' where id = $1`, [
    id,
  ])

it('a workspace sends four at once to all processes together; a dead one’s counts no more, and is removed', async () => {
  const uploads = await ofOtherProcesses(4)
  const fifth = await send(rows(1))
  expect([fifth.status, fifth.body.error.code]).toEqual([429, 'too_many_requests'])
  const stranger = { workspace: newId('ws'), id: newId('upl') }
  expect(await shop.commands.openUpload(stranger, 4)).toBe(true)
  await shop.commands.forgetUpload(stranger)
  await silent(uploads[0]?.id)
  expect((await send(rows(1))).status).toBe(201)
  expect(await left()).toEqual({ uploads: 3, chunks: 3 })
  for (const upload of uploads) await shop.commands.forgetUpload(upload)
})

it('one that only waits for its sender says that it lives', async () => {
  const [upload] = await ofOtherProcesses(1)
  await silent(upload?.id)
  if (upload) await shop.commands.markUploadAlive(upload)
  expect((await send(rows(1))).status).toBe(201)
  expect(await left()).toEqual({ uploads: 1, chunks: 1 })
  if (upload) await shop.commands.forgetUpload(upload)
})

it.each(['while it is read', 'before its end'])(
  'one that was removed %s is 503, and sent again is imported',
  async (when) => {
    const before = await imports()
    const key = newId('op')
    const { sent, answer } = opened(key)
    sent.write(rows(1_000))
    await chunksLeft().toBe(2)
    await shop.owner.query(
      'with gone as (delete from bulk_upload) delete from bulk_chunk where bulk like $1',
      ['upl_%'],
    )
    sent.end(rows(when === 'before its end' ? 0 : 2_000, 1_000))
    const { status, body } = await answered(await answer)
    expect([status, body.error.message]).toMatchObject([503, /send the file again/])
    expect(await imports()).toBe(before)
    expect((await send(rows(3_000), key)).status).toBe(201)
  },
)

it('an import is not made of chunks that are not all there', async () => {
  const [upload] = await ofOtherProcesses(1)
  const values = {
    workspace: shop.workspace,
    id: newId('imp'),
    kind: 'import' as const,
    batch: 'short',
    total: 1,
    fingerprint: '',
    createdAt: new Date(),
    progressedAt: new Date(),
  }
  const made = (id: string, chunks: number) =>
    shop.commands.createBulk(values, { id, chunks, decimals: new Map() })
  const before = await imports()
  await expect(made(upload?.id ?? '', 2)).rejects.toThrow('1 of 2 chunks')
  await expect(made('upl_gone', 0)).rejects.toThrow(UploadLost)
  expect(await imports()).toBe(before)
  if (upload) await shop.commands.forgetUpload(upload)
})

const FILE_BYTES = 60_000_000
const MOST_GROWTH = FILE_BYTES / 4

it('memory stays far below the file’s size', { timeout: 180_000 }, async () => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const used = () => {
    gc()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  const note = 'x'.repeat(450)
  let bytes = 0
  async function* file() {
    for (let i = 0; bytes < FILE_BYTES; i += 100) {
      const lines = Array.from({ length: 100 }, (_, n) =>
        JSON.stringify({ account, amount: 1, key: String(i + n), metadata: { note } }),
      )
      const data = Buffer.from(`${lines.join('\n')}\n`)
      bytes += data.length
      yield data
    }
  }
  let kept = 0
  let peak = 0
  const before = used()
  const commands = {
    ...shop.commands,
    keepChunk: async (...args: Parameters<typeof shop.commands.keepChunk>) => {
      await shop.commands.keepChunk(...args)
      if (++kept % 20 === 0) peak = Math.max(peak, used())
    },
  }
  const { workspace, pool } = shop
  const checked = await uploaded(
    Readable.from(file()),
    createHash('sha256'),
    ndjsonLines,
    { pool, commands, workspace, now: new Date(), log },
    async (checked) => checked,
  )
  expect(bytes).toBeGreaterThanOrEqual(FILE_BYTES)
  expect(checked).toMatchObject({ errorCount: 0, chunks: kept })
  expect(kept).toBeGreaterThan(200)
  expect(peak - before).toBeLessThan(MOST_GROWTH)
})
