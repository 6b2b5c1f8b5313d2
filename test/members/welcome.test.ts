import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { openShop, type Shop } from '../api/shop.ts'

let shop: Shop

beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop.close())
afterEach(async () => expect(await shop.reconcile()).toEqual([]))

const accounts = '/v1/loyalty/accounts'
const account = async (id: string) => (await shop.get(`${accounts}/${id}`)).body

/** A program of its own, with what the columns say, and these rules. */
async function program(columns: Record<string, unknown>, rules: object[]): Promise<string> {
  const id = newId('prog')
  const names = Object.keys(columns)
  await shop.owner.query(
    `insert into program (workspace, id, name${names.map((name) => `, ${name}`).join('')})
     values ($1, $2, 'p'${names.map((_, index) => `, $${index + 3}`).join('')})`,
    [shop.workspace, id, ...Object.values(columns)],
  )
  for (const rule of rules) {
    const { status, body } = await shop.post('/v1/loyalty/earning_rules', { program: id, ...rule })
    expect([status, body.error]).toEqual([201, undefined])
  }
  return id
}
const WELCOME = { trigger: 'loyalty.account.created', award: { fixed: 100 } }
const PER_EURO = {
  trigger: 'payment.completed',
  award: { per_amount: { points: 1, amount: 100, currency: 'EUR' } },
}
const pay = async (customer: string, amount: number) =>
  (
    await shop.post('/v1/payments', {
      amount,
      currency: 'eur',
      customer,
      card: '4242424242424242',
    })
  ).body.id
const TIERS = [
  { name: 'Base', rank: 0, threshold: 0, multiplier: 1 },
  { name: 'Plus', rank: 1, threshold: 5_000, multiplier: 2 },
]
const SPEND = { qualifyOn: 'spend', period: { type: 'rolling', months: 12 }, tiers: TIERS }

describe('the welcome bonus', () => {
  it('is on the member with the answer that enrols them', async () => {
    const inProgram = await program({}, [WELCOME])
    const { body } = await shop.post(accounts, { program: inProgram, customer: 'cust_hello' })
    expect(body).toMatchObject({ balance: 100, lifetime_points: 100 })
    expect(await account(body.id)).toMatchObject({ balance: 100 })
    const { body: history } = await shop.get(`/v1/loyalty/transactions?account=${body.id}`)
    expect(history.data).toMatchObject([{ type: 'earn', amount: 100 }])
  })

  it('is given once, however often the request is repeated or raced', async () => {
    const inProgram = await program({}, [WELCOME])
    const options = { idempotencyKey: newId('op') }
    const ask = () => shop.post(accounts, { program: inProgram, customer: 'cust_race' }, options)
    const answers = await Promise.all([ask(), ask(), ask()])
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
    expect(answers.map(({ body }) => body.balance)).toEqual([100, 100, 100])
  })

  it('may lift the new member into a tier', async () => {
    const config = { qualifyOn: 'points', period: { type: 'lifetime' }, tiers: TIERS }
    const inProgram = await program({ tier_config: config }, [
      { ...WELCOME, award: { fixed: 5_000 } },
    ])
    const { body } = await shop.post(accounts, { program: inProgram })
    expect(body.tier).toBe('Plus')
  })

  it('that waits some days is pending at once', async () => {
    const inProgram = await program({}, [{ ...WELCOME, pendingDays: 3 }])
    const { body } = await shop.post(accounts, { program: inProgram })
    expect(body).toMatchObject({ balance: 0, pending_points: 100 })
  })

  describe('once a customer and program', () => {
    const enrol = async (inProgram: string, customer: string) =>
      (await shop.post(accounts, { program: inProgram, customer })).body.id as string
    const close = (id: string) => shop.post(`${accounts}/${id}/close`)

    it('also where they close, enrol again, and have it all merged', async () => {
      const inProgram = await program({}, [WELCOME])
      const first = await enrol(inProgram, 'cust_leaves')
      await close(first)
      const again = await enrol(inProgram, 'cust_leaves')
      expect(await account(again)).toMatchObject({ balance: 0, lifetime_points: 0 })
      await shop.post(`${accounts}/merge`, { source: first, target: again })
      expect(await account(again)).toMatchObject({ balance: 100, lifetime_points: 100 })
      await close(again)
      const last = await enrol(inProgram, 'cust_leaves')
      expect((await account(last)).balance).toBe(0)
    })

    it('also where they were unlinked, whatever they were called between', async () => {
      const inProgram = await program({}, [WELCOME])
      const first = await enrol(inProgram, 'cust_unlinked')
      for (const customer of ['cust_between', null]) {
        await shop.patch(`${accounts}/${first}`, { customer })
        expect((await account(await enrol(inProgram, 'cust_unlinked'))).balance).toBe(0)
        const { body } = await shop.get(`${accounts}?customer=cust_unlinked&program=${inProgram}`)
        await shop.patch(`${accounts}/${body.data[0].id}`, { customer: null })
      }
      expect((await account(await enrol(inProgram, 'cust_between'))).balance).toBe(0)
    })

    it('but for each customer, each program, and one who had none before', async () => {
      const inProgram = await program({}, [WELCOME])
      const other = await program({}, [])
      const early = await enrol(other, 'cust_early')
      await shop.post('/v1/loyalty/earning_rules', { program: other, ...WELCOME })
      await close(early)
      for (const [of, customer] of [
        [other, 'cust_early'],
        [inProgram, 'cust_early'],
        [inProgram, 'cust_another'],
      ] as const) {
        expect((await account(await enrol(of, customer))).balance).toBe(100)
      }
    })
  })

  it('comes with the first payment where the program enrols by itself, with that payment’s points', async () => {
    const inProgram = await program({ auto_enroll: true }, [WELCOME, PER_EURO])
    await pay('cust_walk_in', 4_200)
    const list = async () =>
      (await shop.get(`${accounts}?program=${inProgram}&customer=cust_walk_in`)).body.data
    await expect.poll(list).toMatchObject([{ balance: 142 }])
    await shop.owner.query('update program set auto_enroll = false where id = $1', [inProgram])
  })
})

describe('payments and merges', () => {
  it('a payment of the source’s customer earns for the survivor, and its refund takes it back there', async () => {
    const inProgram = await program({}, [PER_EURO])
    const enrol = async (customer: string) =>
      (await shop.post(accounts, { program: inProgram, customer })).body.id
    const [source, target] = [await enrol('cust_old_name'), await enrol('cust_new_name')]
    const early = await pay('cust_old_name', 3_000)
    await expect.poll(async () => (await account(source)).balance).toBe(30)
    await shop.post(`${accounts}/merge`, { source, target })
    await pay('cust_old_name', 1_000)
    await expect.poll(async () => (await account(target)).balance).toBe(40)
    await shop.post('/v1/refunds', { payment: early })
    await expect.poll(async () => (await account(target)).balance).toBe(10)
    expect((await account(source)).balance).toBe(0)
  })
})

describe('spend', () => {
  it('of completed payments promotes, doubles what is earned next, and a refund starts the grace', async () => {
    const inProgram = await program({ tier_config: SPEND }, [PER_EURO])
    const { body } = await shop.post(accounts, { program: inProgram, customer: 'cust_spender' })
    const first = await pay('cust_spender', 6_000)
    await expect.poll(async () => (await account(body.id)).tier).toBe('Plus')
    await pay('cust_spender', 1_000)
    await expect.poll(async () => (await account(body.id)).balance).toBe(60 + 20)
    expect(await account(body.id)).toMatchObject({
      tier_progress: { qualify_on: 'spend', qualifying: 7_000, next: null },
    })
    await shop.post('/v1/refunds', { payment: first })
    await expect
      .poll(async () => (await account(body.id)).tier_progress)
      .toMatchObject({ qualifying: 1_000, next: null })
    const { tier, tier_progress } = await account(body.id)
    const days = (Date.parse(tier_progress.lapses_at) - Date.now()) / 86_400_000
    expect([tier, Math.round(days)]).toEqual(['Plus', 30])
  })
})
