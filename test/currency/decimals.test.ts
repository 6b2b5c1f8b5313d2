import request from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { openShop, type Shop } from '../api/shop.ts'

let shop: Shop

beforeAll(async () => {
  shop = await openShop()
})
afterAll(async () => {
  const broken = await shop.reconcile()
  await shop.close()
  expect(broken).toEqual([])
})

const PROGRAMS = '/v1/loyalty/programs'

async function programWithMember() {
  const program = (await shop.post(PROGRAMS, { name: 'Units' })).body.id as string
  const account = (await shop.post('/v1/loyalty/accounts', { program })).body.id as string
  return { program, account }
}
const change = (program: string, decimals: number) =>
  shop.patch(`${PROGRAMS}/${program}`, { currency: { decimals } })
const credit = (client: { query: typeof shop.owner.query }, account: string) =>
  client.query(
    `select ledger.points_post($1, $2, 'adjust', 5, 'x', $3, '', now(), null, null, null, '{}', false) ->> 'outcome' as outcome`,
    [shop.workspace, account, newId('op')],
  )
const waiting = async () =>
  (
    await shop.owner.query(
      `select count(*)::int as n from pg_locks where not granted and locktype = 'advisory'
       and database = (select oid from pg_database where datname = current_database())`,
    )
  ).rows[0].n

it('points print in the program’s own decimals from its first moment, also beside programs of others', async () => {
  const member = (await shop.post('/v1/loyalty/accounts', {})).body.id as string
  await shop.get(`/v1/loyalty/transactions?account=${member}`) // all programs seen so far have none
  const program = (await shop.post(PROGRAMS, { name: 'Cents', currency: { decimals: 2 } })).body.id
  const account = (await shop.post('/v1/loyalty/accounts', { program })).body.id as string
  await shop.post('/v1/loyalty/transactions', { account, amount: 10.55, reason: 'start' })
  const { body: reward } = await shop.post('/v1/loyalty/rewards', {
    program,
    name: 'Mug',
    type: 'free_product',
    cost: 1.25,
    value: { product: 'Mug', quantity: 1 },
  })
  const { body } = await shop.post('/v1/loyalty/redemptions', {
    account,
    reward: reward.id,
    quantity: 3,
  })
  expect(body.points).toBe(3.75)
  const asked = { reason: 'scratched', points: 0.75 }
  const reversed = await shop.post(`/v1/loyalty/redemptions/${body.id}/reverse`, asked)
  expect(reversed.body).toMatchObject({ points: 3.75, reversed_points: 0.75 })
  const { data } = (await shop.get(`/v1/loyalty/transactions?account=${account}`)).body
  expect(data.map(({ amount }: { amount: number }) => amount)).toEqual([0.75, -3.75, 10.55])
})

it('a change of decimals waits for the first transaction under way, and is then 422 decimals_in_use', async () => {
  const { program, account } = await programWithMember()
  const writer = await shop.owner.connect()
  await writer.query('begin')
  await credit(writer, account)
  const changed = change(program, 2).then(({ status, body }) => [status, body.error?.code])
  await expect.poll(waiting, { timeout: 20_000 }).toBe(1)
  await writer.query('commit')
  writer.release()
  expect(await changed).toEqual([422, 'decimals_in_use'])
})

it('a first transaction rolled back leaves the change free to happen', async () => {
  const { program, account } = await programWithMember()
  const writer = await shop.owner.connect()
  await writer.query('begin')
  await credit(writer, account)
  const changed = change(program, 2).then(({ status, body }) => [status, body.currency?.decimals])
  await expect.poll(waiting, { timeout: 20_000 }).toBe(1)
  await writer.query('rollback')
  writer.release()
  expect(await changed).toEqual([200, 2])
})

it('rows of an import that wait to be written keep the decimals they were checked with', async () => {
  const { program, account } = await programWithMember()
  const bulk = newId('imp')
  await shop.owner.query(
    `insert into bulk (workspace, id, kind, batch, status, total, fingerprint, created_at, progressed_at)
     values ($1, $2, 'import', $2, 'paused', 1, '', now(), now())`,
    [shop.workspace, bulk],
  )
  await shop.owner.query(
    `insert into bulk_chunk (workspace, bulk, no, rows) values ($1, $2, 0, $3)`,
    [shop.workspace, bulk, JSON.stringify([{ line: 1, account, amount: 5, metadata: {} }])],
  )
  const { status, body } = await change(program, 2)
  expect([status, body.error.code]).toEqual([422, 'decimals_in_use'])
})

describe('points that were reckoned in the decimals of a moment ago', () => {
  /** The change is written, and its transaction still open, while `ask` runs into it. */
  async function duringChange<T>(program: string, ask: () => PromiseLike<T>): Promise<T> {
    const changer = await shop.owner.connect()
    try {
      await changer.query('begin')
      await changer.query(`select set_config('vinr.workspace', $1, true)`, [shop.workspace])
      await changer.query('select ledger.decimals_used($1, $2)', [shop.workspace, program])
      await changer.query('update program set decimals = 2 where id = $1', [program])
      const asked = Promise.resolve(ask()) // a request is sent once it is awaited
      await expect.poll(waiting, { timeout: 20_000 }).toBe(1)
      await changer.query('commit')
      return await asked
    } finally {
      await changer.query('rollback')
      changer.release()
    }
  }
  const balanceOf = async (account: string) =>
    (await shop.get(`/v1/loyalty/accounts/${account}`)).body.balance

  it('are reckoned again: one movement', async () => {
    const { program, account } = await programWithMember()
    const { status, body } = await duringChange(program, () =>
      shop.post('/v1/loyalty/transactions', { account, amount: 5, reason: 'x' }),
    )
    expect([status, body.amount, await balanceOf(account)]).toEqual([201, 5, 5])
  })

  it('are reckoned again: a batch', async () => {
    const { program, account } = await programWithMember()
    const rows = [1, 2].map((amount) => ({ account, amount, reason: 'x' }))
    const { status } = await duringChange(program, () =>
      shop.post('/v1/loyalty/transactions/batch', { transactions: rows }),
    )
    expect([status, await balanceOf(account)]).toEqual([201, 3])
  })

  it('are reckoned again: an event’s reactors', async () => {
    const { program, account } = await programWithMember()
    await shop.post('/v1/event_types', { name: 'VISITED', schema: { type: 'object' } })
    await shop.post('/v1/reactors', {
      name: 'Visit',
      trigger: 'VISITED',
      reactions: [{ type: 'adjust_points', points: '7' }],
    })
    const { status } = await duringChange(program, () =>
      shop.post('/v1/events', { type: 'VISITED', user: account, payload: {} }),
    )
    expect([status, await balanceOf(account)]).toEqual([200, 7])
  })

  it('keep a whole import from being kept', async () => {
    const { program, account } = await programWithMember()
    const asked = await duringChange(program, () =>
      request(shop.app)
        .post('/v1/loyalty/imports')
        .set('X-Api-Key', shop.keys.secretKey)
        .set('Content-Type', 'application/x-ndjson')
        .send(JSON.stringify({ account, amount: 5, reason: 'x' })),
    )
    expect([asked.status, await balanceOf(account)]).toEqual([503, 0])
  })
})

describe('rewards', () => {
  const mug = (program: string, more: object = {}) => ({
    program,
    name: 'Mug',
    type: 'free_product',
    cost: 5,
    value: { product: 'Mug', quantity: 1 },
    ...more,
  })
  const rewardOf = async (id: string) => (await shop.get(`/v1/loyalty/rewards/${id}`)).body

  it('keep what they cost, for their tiers and variants too', async () => {
    const tiers = [{ name: 'gold', rank: 1, threshold: 0 }]
    const { id: program } = (
      await shop.post(PROGRAMS, { name: 'Units', tierConfig: { qualifyOn: 'points', tiers } })
    ).body
    const { body } = await shop.post(
      '/v1/loyalty/rewards',
      mug(program, {
        tier_costs: { gold: 3 },
        variants: [{ id: 'large', attributes: { size: 'L' }, cost: 7 }],
      }),
    )
    for (const decimals of [2, 1]) {
      expect((await change(program, decimals)).status).toBe(200)
      expect(await rewardOf(body.id)).toMatchObject({
        cost: 5,
        tier_costs: { gold: 3 },
        variants: [{ id: 'large', cost: 7 }],
      })
    }
  })

  it('that would lose a fraction, were it their variant’s only, keep the decimals', async () => {
    const { program } = await programWithMember()
    await change(program, 1)
    const variants = [{ id: 'large', attributes: { size: 'L' }, cost: 7.5 }]
    await shop.post('/v1/loyalty/rewards', mug(program, { variants }))
    const { status, body } = await change(program, 0)
    expect([status, body.error.code]).toEqual([422, 'decimals_in_use'])
  })

  it('made or changed while the decimals change cost what was asked, in the new ones', async () => {
    const { program } = await programWithMember()
    const { body: before } = await shop.post('/v1/loyalty/rewards', mug(program))
    const changer = await shop.owner.connect()
    await changer.query('begin')
    await changer.query(`select set_config('vinr.workspace', $1, true)`, [shop.workspace])
    await changer.query('select ledger.decimals_used($1, $2)', [shop.workspace, program])
    await changer.query('update program set decimals = 2 where id = $1', [program])
    await changer.query('update reward set decimals = 2, cost = cost * 100 where id = $1', [
      before.id,
    ])
    const asked = Promise.all([
      shop.post('/v1/loyalty/rewards', mug(program)),
      shop.patch(`/v1/loyalty/rewards/${before.id}`, { cost: 8 }),
    ])
    await expect.poll(waiting, { timeout: 20_000 }).toBe(2)
    await changer.query('commit')
    changer.release()
    const [made, changed] = await asked
    expect([made.status, made.body.cost]).toEqual([201, 5])
    expect([changed.status, changed.body.cost]).toEqual([200, 8])
    const { rows } = await shop.owner.query(
      'select cost, decimals from reward where program = $1 order by cost',
      [program],
    )
    expect(rows).toEqual([
      { cost: 500, decimals: 2 },
      { cost: 800, decimals: 2 },
    ])
  })

  it('whose costs were reckoned in other decimals are named by the proof of the books', async () => {
    const { program } = await programWithMember()
    const { body } = await shop.post('/v1/loyalty/rewards', mug(program))
    await shop.owner.query('update program set decimals = 2 where id = $1', [program])
    expect(await shop.reconcile()).toMatchObject([
      { subject: body.id, detail: 'reckoned in 0, the program has 2' },
    ])
    await shop.owner.query('update program set decimals = 0 where id = $1', [program])
  })
})

it('a change of decimals and movements of other programs wait for nothing of each other', async () => {
  const [busy, other] = [await programWithMember(), await programWithMember()]
  const writer = await shop.owner.connect()
  await writer.query('begin')
  await credit(writer, busy.account) // another program's first, not yet committed
  expect((await change(other.program, 2)).status).toBe(200)
  const changed = change(busy.program, 2).then(({ status }) => status)
  await expect.poll(waiting, { timeout: 20_000 }).toBe(1)
  const movement = { account: other.account, amount: 1.5, reason: 'x' }
  expect((await shop.post('/v1/loyalty/transactions', movement)).status).toBe(201)
  await writer.query('commit')
  writer.release()
  expect(await changed).toBe(422)
})

it('decimals just changed are those of the next answer', async () => {
  const fresh = await openShop({ worker: false }) // has seen no programs yet
  const { id: program } = (await fresh.post(PROGRAMS, { name: 'Units' })).body
  const account = (await fresh.post('/v1/loyalty/accounts', { program })).body.id as string
  await fresh.patch(`${PROGRAMS}/${program}`, { currency: { decimals: 2 } })
  await fresh.post('/v1/loyalty/transactions', { account, amount: 1.5, reason: 'start' })
  expect((await fresh.get(`/v1/loyalty/accounts/${account}`)).body.balance).toBe(1.5)
  await fresh.close()
})
