import { Temporal } from 'temporal-polyfill'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { openShop, type Shop } from '../api/shop.ts'

let shop: Shop

beforeAll(async () => {
  shop = await openShop()
  await shop.patch('/v1/loyalty/programs/prog_default', {
    expiry: { timeZone: 'America/New_York' },
  })
})
afterAll(async () => {
  const broken = await shop.reconcile()
  await shop.close()
  expect(broken).toEqual([])
})

const DAY = '2026-06-30'
// The 30th of June, and the instants around it, in the zone of each program.
const around = (zone: string) => {
  const start = Temporal.PlainDate.from(DAY).toZonedDateTime(zone)
  const end = start.add({ days: 1 })
  const iso = (at: Temporal.ZonedDateTime) => at.toInstant().toString()
  return {
    before: iso(start.subtract({ milliseconds: 1 })),
    first: iso(start),
    last: iso(end.subtract({ milliseconds: 1 })),
    after: iso(end),
  }
}

const enrol = async (program = 'prog_default') =>
  (await shop.post('/v1/loyalty/accounts', { program })).body.id as string
const programIn = async (timeZone: string) =>
  (await shop.post('/v1/loyalty/programs', { name: timeZone, expiry: { timeZone } })).body
    .id as string

type Window = 'gte' | 'gt' | 'lte' | 'lt'
const WINDOWS: [Window, string[]][] = [
  ['gte', ['first', 'last', 'after']],
  ['gt', ['after']],
  ['lte', ['before', 'first', 'last']],
  ['lt', ['before']],
]

describe('a bare date is the whole day of the program’s zone', () => {
  it.each(WINDOWS)('in created[%s] of a list', async (window, found) => {
    for (const [filter, zone, program] of [
      ['', 'America/New_York', 'prog_default'],
      ['program', 'Asia/Kolkata', await programIn('Asia/Kolkata')],
    ] as const) {
      const names = new Map<string, string>()
      for (const [name, at] of Object.entries(around(zone))) {
        const id = await enrol(program)
        names.set(id, name)
        await shop.owner.query('update account set created_at = $2 where id = $1', [id, at])
      }
      const query = `limit=100&created[${window}]=${DAY}${filter && `&program=${program}`}`
      const { body } = await shop.get(`/v1/loyalty/accounts?${query}`)
      const listed = body.data.map(({ id }: { id: string }) => names.get(id))
      expect(listed.filter((name: string | undefined) => name !== undefined).reverse()).toEqual(
        found,
      )
    }
  })

  it('in the lists of one account it is its program’s', async () => {
    const account = await enrol(await programIn('Pacific/Apia'))
    await shop.post('/v1/loyalty/transactions', { account, amount: 5, reason: 'x' })
    const { first } = around('Pacific/Apia')
    await shop.owner.query('alter table ptx disable trigger user')
    await shop.owner.query('update ptx set created_at = $2 where account = $1', [account, first])
    await shop.owner.query('alter table ptx enable trigger user')
    const listed = async (query: string) =>
      (
        await shop.get(
          `/v1/loyalty/transactions?${query}&created[gte]=${DAY}&created[lt]=2026-07-01`,
        )
      ).body.data.length
    // in New York the day has not begun
    expect([await listed(`account=${account}`), await listed('type=adjust')]).toEqual([1, 0])
  })

  it('in reports its end', async () => {
    const program = await programIn('Asia/Kolkata')
    const account = await enrol(program)
    const { before, last, after } = around('Asia/Kolkata')
    for (const [amount, at] of [
      [1, before],
      [10, last],
      [100, after.replace('Z', '.001Z')],
    ] as const) {
      await shop.commands.postTransaction({
        workspace: shop.workspace,
        account,
        type: 'adjust',
        amount,
        reason: 'x',
        operation: newId('op'),
        fingerprint: '',
        at,
        expiresAt: null,
        batch: null,
        source: null,
        metadata: {},
        allowNegative: true,
      })
    }
    const asOf = new Date(after).toISOString()
    const liability = await shop.get(`/v1/loyalty/programs/${program}/liability?at=${DAY}`)
    expect(liability.body).toMatchObject({ outstandingPoints: 11, asOf })
    const balance = await shop.get(`/v1/loyalty/accounts/${account}/balance_at?at=${DAY}`)
    expect(balance.body).toEqual({ account, balance: 11, at: asOf })
    const credit = await shop.get(
      `/v1/loyalty/programs/${program}/store_credit_liability?at=${DAY}`,
    )
    expect(credit.body).toMatchObject({ asOf })
  })

  it('a day that has not ended in the program’s zone cannot be reported', async () => {
    const program = await programIn('Pacific/Kiritimati')
    const today = Temporal.Now.plainDateISO('Pacific/Kiritimati')
    const at = async (day: Temporal.PlainDate) => {
      const { status, body } = await shop.get(
        `/v1/loyalty/programs/${program}/liability?at=${day.toString()}`,
      )
      return [status, body.error?.param]
    }
    expect(await at(today)).toEqual([400, 'at'])
    expect(await at(today.subtract({ days: 1 }))).toEqual([200, undefined])
  })

  it.each(WINDOWS)('in created[%s] of a reconciliation', async (window) => {
    const program = await programIn('Asia/Kolkata')
    const { first, after } = around('Asia/Kolkata')
    const { body } = await shop.get(
      `/v1/loyalty/programs/${program}/reconciliation?created[${window}]=${DAY}`,
    )
    const bound = window === 'gte' || window === 'lt' ? first : after
    const shown = window.startsWith('g') ? body.from : body.to
    expect(shown).toBe(new Date(bound).toISOString())
  })

  it('in the window of a webhook’s replay', async () => {
    const { body: endpoint } = await shop.post('/v1/webhook_endpoints', {
      url: 'http://127.0.0.1:9/',
      enabled_events: ['loyalty.account.created'],
    })
    const { before, first, last, after } = around('America/New_York')
    for (const at of [before, before, first, last, after]) {
      await enrol()
      await shop.owner.query('alter table event disable trigger user')
      await shop.owner.query(
        `update event set created_at = $1 where id = (select max(id) from event where type = 'loyalty.account.created')`,
        [at],
      )
      await shop.owner.query('alter table event enable trigger user')
    }
    const replayed = async (created: object) =>
      (await shop.post(`/v1/webhook_endpoints/${endpoint.id}/replay`, { created })).body.deliveries
    expect(await replayed({ gte: DAY, lt: '2026-07-01' })).toBe(2)
  })
})

describe('a time outside of the years 0001 to 9999 is refused', () => {
  const TIMES = [
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+14:00', // year 0 in UTC
    '9999-12-31T23:59:59-05:00', // year 10000 in UTC
    '10000-01-01T00:00:00Z',
  ]

  it.each([...TIMES, '0000-12-31', '10000-01-01', '10000000000000'])(
    'in queries: %s',
    async (time) => {
      const account = await enrol()
      for (const [path, param] of [
        ['/v1/loyalty/accounts?created[gte]=', 'created.gte'],
        ['/v1/events?created[lt]=', 'created.lt'],
        [`/v1/loyalty/accounts/${account}/balance_at?at=`, 'at'],
        ['/v1/loyalty/programs/prog_default/liability?at=', 'at'],
        ['/v1/loyalty/programs/prog_default/reconciliation?created[lte]=', 'created.lte'],
        ['/v1/loyalty/programs/prog_default/liability/export?to=2026-01-01&from=', 'from'],
      ]) {
        const { status, body } = await shop.get(`${path}${encodeURIComponent(time)}`)
        expect([path, status, body.error.param]).toEqual([path, 400, param])
      }
    },
  )

  it.each(TIMES)('in bodies: %s', async (time) => {
    const account = await enrol()
    const reward = {
      name: 'Mug',
      type: 'free_product',
      cost: 5,
      value: { product: 'Mug', quantity: 1 },
    }
    for (const [path, sent, param] of [
      ['transactions', { account, amount: 5, reason: 'x', expires_at: time }, 'expires_at'],
      ['rewards', { ...reward, starts_at: time }, 'starts_at'],
      ['rewards', { ...reward, ends_at: time }, 'ends_at'],
      [
        'earning_rules',
        { name: 'x', trigger: 'payment.completed', award: { fixed: 1 }, starts_at: time },
        'starts_at',
      ],
    ] as const) {
      const { status, body } = await shop.post(`/v1/loyalty/${path}`, sent)
      expect([path, status, body.error.param]).toEqual([path, 400, param])
    }
  })

  it('its edges are times', async () => {
    for (const time of ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z', '0001-01-01']) {
      const { status } = await shop.get(`/v1/loyalty/accounts?created[gte]=${time}`)
      expect([time, status]).toEqual([time, 200])
    }
    const account = await enrol()
    const expires_at = '9999-12-31T23:59:59.999Z'
    const credit = { account, amount: 5, reason: 'x', expires_at }
    expect((await shop.post('/v1/loyalty/transactions', credit)).body).toMatchObject({ expires_at })
  })

  it('in webhooks: what says no time that can be is refused by name', async () => {
    const data = { id: newId('pay'), amount: 100, currency: 'eur' }
    for (const [more, param] of [
      [{ created: 1e13 }, 'created'],
      [{ data: { ...data, completed_at: '0000-01-01T00:00:00Z' } }, 'data.completed_at'],
      [{ data: { ...data, completed_at: '9999-12-31T23:59:59-05:00' } }, 'data.completed_at'],
    ] as const) {
      const event = { id: newId('evt'), type: 'payment.completed', data, ...more }
      const { status, body } = await shop.webhook(event)
      expect([status, body.error.code, body.error.param]).toEqual([400, 'parameter_invalid', param])
    }
  })
})
