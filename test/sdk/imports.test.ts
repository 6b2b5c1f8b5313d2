import { createReadStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Vinr, VinrConnectionError, VinrInvalidRequestError } from '@vinr/sdk'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ShopServer, serve } from './served.ts'

let shop: ShopServer
let vinr: Vinr
let folder: string
let member: string

beforeAll(async () => {
  shop = await serve()
  vinr = new Vinr({ secretKey: shop.keys.secretKey })
  folder = await mkdtemp(join(tmpdir(), 'vinr-sdk-'))
  member = (await vinr.loyalty.accounts.create({})).id
})
afterAll(async () => {
  await rm(folder, { recursive: true })
  const broken = await shop.reconcile()
  await shop.close()
  expect(broken).toEqual([])
})

const balance = async () => (await vinr.loyalty.accounts.retrieve(member)).balance
const completed = async (id: string) => {
  let last: unknown
  for await (const state of vinr.loyalty.imports.progress(id, { everyMs: 50 })) last = state
  return last
}

test('a file is streamed from disk, followed to its end, and reversed as a whole', async () => {
  const file = join(folder, 'members.csv')
  const rows = Array.from({ length: 1_200 }, (_, n) => `${member},1,opening,${n}`)
  await writeFile(file, ['account,amount,reason,key', ...rows, ''].join('\n'))
  const sent = await vinr.loyalty.imports.create(createReadStream(file), {
    type: 'text/csv',
    batch: 'from the old/system',
  })
  expect(sent).toMatchObject({ object: 'import', total: 1_200, batch: 'from the old/system' })
  expect(await completed(sent.id)).toMatchObject({ status: 'completed', posted: 1_200, refused: 0 })
  expect(await balance()).toBe(1_200)

  const { id } = await vinr.loyalty.imports.reverse(sent)
  let reversed = 0
  for await (const { posted } of vinr.loyalty.batchReversals.progress(id, { everyMs: 50 })) {
    expect(posted).toBeGreaterThanOrEqual(reversed)
    reversed = posted
  }
  expect(reversed).toBe(1_200)
  expect(await balance()).toBe(0)
})

test('rows are sent from an array or as they are made; one is in either only once', async () => {
  const row = (n: number) => ({ account: member, amount: 2, key: String(n) })
  const array = [row(1), row(2), row(3)]
  async function* made() {
    for (let n = 1; n <= 700; n++) yield row(n)
  }
  const key = { idempotencyKey: 'three rows' }
  const first = await vinr.loyalty.imports.create(array, {}, key)
  expect((await vinr.loyalty.imports.create(array, {}, key)).id).toBe(first.id)
  const second = await vinr.loyalty.imports.create(made(), { batch: 'made' })
  await Promise.all([completed(first.id), completed(second.id)])
  expect(await balance()).toBe(2 * 703)
  const { data } = await vinr.loyalty.imports.list({ limit: 1 })
  expect(data[0]).toMatchObject({ id: second.id, status: 'completed', posted: 700 })
})

test('a refused file says which lines are wrong, and has written nothing', async () => {
  const before = await balance()
  const refused = vinr.loyalty.imports.create([
    { account: member, amount: 5 },
    { account: 'loy_nobody', amount: 5 },
  ])
  await expect(refused).rejects.toThrow(VinrInvalidRequestError)
  await expect(refused).rejects.toMatchObject({
    code: 'parameter_invalid',
    error_count: 1,
    errors: [{ line: 2, code: 'resource_missing', param: 'account' }],
  })
  expect(await balance()).toBe(before)
})

test('an import is paused and goes on; so is a reversal', async () => {
  const rows = Array.from({ length: 6_000 }, (_, n) => ({
    account: member,
    amount: 1,
    key: `${n}`,
  }))
  const { id, batch } = await vinr.loyalty.imports.create(rows)
  expect((await vinr.loyalty.imports.pause(id)).status).toBe('paused')
  expect((await vinr.loyalty.imports.retrieve(id)).status).toBe('paused')
  await vinr.loyalty.imports.resume(id)
  expect(await completed(id)).toMatchObject({ posted: 6_000 })
  const back = await vinr.loyalty.batchReversals.create(batch)
  expect((await vinr.loyalty.batchReversals.pause(back.id)).status).toBe('paused')
  await vinr.loyalty.batchReversals.resume(back.id)
  let reversed = 0
  for await (const { posted } of vinr.loyalty.batchReversals.progress(back.id, { everyMs: 50 })) {
    reversed = posted
  }
  expect(reversed).toBe(6_000)
})

test('a stream whose answer is lost is not tried again by itself, and is safe to send with its key', async () => {
  let tries = 0
  const flaky = new Vinr({
    secretKey: shop.keys.secretKey,
    fetch: async (url, init) => {
      const response = await fetch(url, init)
      if (++tries === 1) throw new TypeError('socket hang up')
      return response
    },
  })
  const before = await balance()
  const key = { idempotencyKey: 'lost' }
  const rows = async function* () {
    yield { account: member, amount: 9 }
  }
  await expect(flaky.loyalty.imports.create(rows(), {}, key)).rejects.toThrow(VinrConnectionError)
  expect(tries).toBe(1)
  const { id } = await flaky.loyalty.imports.create(rows(), {}, key)
  await completed(id)
  expect((await balance()) - before).toBe(9)
})

test('finance reads movements as CSV and a window joined to its payments', async () => {
  const year = new Date().getUTCFullYear()
  const csv = await vinr.loyalty.programs.liabilityExport('prog_default', {
    from: `${year}-01-01`,
    to: `${year + 1}-01-01`,
  })
  expect(csv.split('\r\n')[0]).toMatch(/^period,opening,earned,spent/)
  expect(csv.trim().split('\r\n')).toHaveLength(13)
  const joined = await vinr.loyalty.programs.reconciliation('prog_default', {
    created: { gte: new Date(Date.now() - 3_600_000) },
  })
  expect(joined).toMatchObject({ object: 'reconciliation', mismatches: [] })
})

test('a payment earns again for a member who came later; its refunds are listed', async () => {
  const payment = await vinr.payments.create({
    amount: 1_000,
    currency: 'eur',
    card: '4242 4242 4242 4242',
  })
  expect((await vinr.payments.replayAward(payment.id)).transactions).toEqual([])
  const refund = await vinr.refunds.create({ payment: payment.id, amount: 300 })
  expect(await vinr.refunds.retrieve(refund.id)).toMatchObject({ amount: 300 })
  const { data } = await vinr.refunds.list({ payment: payment.id })
  expect(data.map(({ id }) => id)).toEqual([refund.id])
})

test('many rows are posted together or not at all, and tiers are given by hand', async () => {
  const { data } = await vinr.loyalty.transactions.createBatch({
    transactions: [
      { account: member, amount: 3, reason: 'x' },
      { account: member, amount: -1, reason: 'y' },
    ],
  })
  expect(data.map(({ amount }) => amount)).toEqual([3, -1])
  const program = await vinr.loyalty.programs.create({
    name: 'Club',
    currency: { name: 'Stars' },
    tierConfig: { qualifyOn: 'custom', tiers: [{ name: 'gold', rank: 1, threshold: 0 }] },
  })
  const { id } = await vinr.loyalty.accounts.create({ program: program.id })
  expect((await vinr.loyalty.accounts.setTier(id, { tier: 'gold' })).tier).toBe('gold')
  const changes = await vinr.loyalty.accounts.tierChanges(id)
  expect(changes.data).toMatchObject([{ from: null, to: 'gold' }])
})
