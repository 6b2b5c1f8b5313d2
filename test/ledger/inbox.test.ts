import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Dependencies } from '../../app/dependencies.ts'
import { reconcilerCommands } from '../../app/reconciler.ts'
import { paymentTakeIn } from '../../db/ledger.gen.ts'
import { seedWorkspace } from '../../dev/demo.ts'
import { newId } from '../../domain/ids.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'

let db: TestDatabase
const workspace = newId('ws')
beforeAll(async () => {
  db = await testDatabase()
  await seedWorkspace(db.pool, workspace, 'Test shop')
})
afterAll(() => db.drop())

const DAY_MS = 24 * 3_600_000
const PERSON = {
  name: 'Ola Nordmann',
  email: 'ola@example.com',
  phone: '+4791234567',
  address: { line1: 'Storgata 1', city: 'Oslo' },
}
const SECRET = /Ola|ola@|4791234567|Storgata|Oslo|4242424242424242|birthday/

type Event = {
  provider: string
  event: string
  type: string
  payload: Record<string, unknown>
  content: string[][]
  agoDays?: number
}

async function takeIn({ provider, event, type, payload, content, agoDays = 0 }: Event) {
  return paymentTakeIn(db.pool, {
    workspace,
    provider,
    endpoint: 'whs_one',
    event,
    type,
    payload,
    content,
    payment: null,
    status: null,
    at: new Date(Date.now() - agoDays * DAY_MS),
    more: { subject: `pay_${event}` },
  })
}

const kept = async (event: string) => {
  const { rows } = await db.owner.query(
    'select id, payload, facts, fingerprint, processed_at from inbox where workspace = $1 and id = $2',
    [workspace, event],
  )
  return rows[0]
}

const STRIPE = [['type'], ['created'], ['data', 'object']]
const intent = (event: string, more: object = {}) => ({
  provider: 'stripe',
  event,
  type: 'payment.completed',
  content: STRIPE,
  payload: {
    id: event,
    type: 'payment_intent.succeeded',
    created: 1_790_000_000,
    data: {
      object: {
        id: 'pi_1',
        amount: 5_000,
        currency: 'eur',
        customer: { id: 'cus_1', ...PERSON },
        receipt_email: PERSON.email,
        description: 'birthday of Ola',
        shipping: PERSON,
        metadata: { note: 'for Ola' },
        payment_method: 'pm_1',
        charges: { data: [{ billing_details: PERSON }] },
        payment_method_details: {
          card: { brand: 'visa', last4: '4242', number: '4242424242424242' },
        },
        ...more,
      },
    },
  },
})

describe('an event of a provider', () => {
  it('of Stripe keeps ids, amounts and the end of a card, and nobody', async () => {
    await takeIn(intent('evt_stripe'))
    const { payload } = await kept('evt_stripe')
    expect(JSON.stringify(payload)).not.toMatch(SECRET)
    expect(payload).toEqual({
      id: 'evt_stripe',
      type: 'payment_intent.succeeded',
      created: 1_790_000_000,
      data: {
        object: {
          id: 'pi_1',
          amount: 5_000,
          currency: 'eur',
          customer: { id: 'cus_1' },
          payment_method_details: { card: { brand: 'visa', last4: '4242' } },
        },
      },
    })
  })

  it('of our own form keeps its amounts, refunds and redemptions', async () => {
    const refunds = [{ id: 're_1', amount: 100, reason: 'Ola asked' }]
    const data = { id: 'pay_1', amount: 500, currency: 'eur', metadata: PERSON, buyer: PERSON }
    const discounts = [{ redemption: 'rdm_1' }]
    await takeIn({
      provider: 'sandbox',
      event: 'evt_own',
      type: 'payment.completed',
      content: [['type'], ['created'], ['data']],
      payload: {
        id: 'evt_own',
        type: 'payment.completed',
        data: { ...data, refunds, discounts },
        by: PERSON,
      },
    })
    const { payload } = await kept('evt_own')
    expect(JSON.stringify(payload)).not.toMatch(SECRET)
    expect(payload).toEqual({
      id: 'evt_own',
      type: 'payment.completed',
      data: {
        id: 'pay_1',
        amount: 500,
        currency: 'eur',
        refunds: [{ id: 're_1', amount: 100 }],
        discounts,
      },
    })
  })

  it('of any form keeps the plain values that the mapping reads', async () => {
    await takeIn({
      provider: 'generic',
      event: 'evt_generic',
      type: 'payment.completed',
      content: [['kind'], ['order', 'id'], ['order', 'total'], ['order', 'meta']],
      payload: { kind: 'paid', order: { id: 'o_1', total: 900, meta: PERSON }, buyer: PERSON },
    })
    const { payload } = await kept('evt_generic')
    expect(payload).toEqual({ kind: 'paid', 'order.id': 'o_1', 'order.total': 900 })
  })

  it('that differs in what is not kept is in conflict all the same, and so is what is noted of it', async () => {
    await takeIn(intent('evt_again'))
    expect(await takeIn(intent('evt_again'))).not.toHaveProperty('conflict')
    const other = await takeIn(intent('evt_again', { receipt_email: 'another@example.com' }))
    expect(other).toMatchObject({ outcome: 'duplicate', conflict: true })
    const { rows } = await db.owner.query(
      `select details from attention where workspace = $1 and kind = 'payment_event_conflict'`,
      [workspace],
    )
    expect(rows).toHaveLength(1)
    expect(rows[0].details.payload.data.object.amount).toBe(5_000)
    expect(JSON.stringify(rows)).not.toMatch(/@example.com|Storgata/)
  })

  it('nested without end is kept to a depth', async () => {
    const deep = (left: number): object => (left === 0 ? {} : { data: deep(left - 1) })
    await takeIn({ ...intent('evt_deep'), payload: { type: 'x', data: deep(2_000) } })
    const { payload } = await kept('evt_deep')
    expect(JSON.stringify(payload).length).toBeLessThan(300)
  })
})

describe('what an event said', () => {
  const forgetOlder = (inboxPayloadDays: number) =>
    reconcilerCommands({
      pool: db.pool,
      engine: {} as Dependencies['engine'], // of which this needs nothing
      reconciled: () => {},
      inboxPayloadDays,
    }).forgetPayloads()

  it('is forgotten after its days, and never before it is processed', async () => {
    await takeIn({ ...intent('evt_31'), agoDays: 31 })
    await takeIn({ ...intent('evt_29'), agoDays: 29 })
    await takeIn({ ...intent('evt_waits'), agoDays: 31 })
    await db.owner.query(`update inbox set processed_at = null where id = 'evt_waits'`)
    const before = await kept('evt_31')

    expect(await forgetOlder(30)).toBe(1)
    const after = await kept('evt_31')
    expect(after).toMatchObject({ id: 'evt_31', payload: {}, fingerprint: before.fingerprint })
    expect((await kept('evt_29')).payload).not.toEqual({})
    expect((await kept('evt_waits')).payload).not.toEqual({})
    expect(await forgetOlder(30)).toBe(0)

    expect(await forgetOlder(28)).toBe(1)
    expect((await kept('evt_29')).payload).toEqual({})
  })

  it('is known again afterwards, and what differs is a conflict', async () => {
    await takeIn({ ...intent('evt_later'), agoDays: 40 })
    await forgetOlder(30)
    expect((await kept('evt_later')).payload).toEqual({})
    expect(await takeIn(intent('evt_later'))).not.toHaveProperty('conflict')
    expect(await takeIn(intent('evt_later', { amount: 1 }))).toMatchObject({ conflict: true })
  })

  it('of an earning trigger stays without its metadata, but for the account that it pins', async () => {
    await takeIn({ ...intent('evt_facts'), agoDays: 40 })
    await db.owner.query(
      `update inbox set facts = '{"trigger": "invoice.paid", "amount": 5,
        "metadata": {"loyalty_account": "loy_1", "note": "for Ola"}}' where id = 'evt_facts'`,
    )
    await forgetOlder(30)
    expect((await kept('evt_facts')).facts).toEqual({
      trigger: 'invoice.paid',
      amount: 5,
      metadata: { loyalty_account: 'loy_1' },
    })
  })
})
