import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop, type Shop } from '../api/shop.ts'
import { balanceOf, member } from './till.ts'

let shop: Shop

beforeAll(async () => {
  shop = await openShop()
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

let made = 0

/** An event type of its own for one test, and the reactors given; reports to it. */
async function setUp(...reactors: object[]) {
  const trigger = `SALE_${++made}`
  const type = await shop.post('/v1/event_types', { name: trigger })
  expect(type.status).toBe(201)
  const ids: string[] = []
  for (const [index, reactor] of reactors.entries()) {
    const { status, body } = await shop.post('/v1/reactors', {
      name: `Reactor ${index}`,
      trigger,
      reactions: [{ type: 'adjust_points', points: '$.points' }],
      ...reactor,
    })
    expect([status, body]).toMatchObject([201, { object: 'reactor' }])
    ids.push(body.id)
  }
  const report = (user: string, payload: object = {}, more: object = {}, query = '') =>
    shop.post(`/v1/events${query}`, { type: trigger, user, payload, ...more })
  return { trigger, ids, report }
}

/** As if the member and these reactors had been there since then. */
async function existingSince(time: string, user: string, reactors: string[]): Promise<void> {
  await shop.owner.query('update account set created_at = $2 where id = $1', [user, time])
  await shop.owner.query('update reactor set created_at = $2 where id = any ($1)', [reactors, time])
}

describe('conditions', () => {
  it('must all be true, and the answer says which was not, and why', async () => {
    const { report } = await setUp({
      conditions: ['$.points > 0', '$.store in ["OSL-1", "BGO-1"]', '"coffee" in $.tags'],
    })
    const user = await member(shop, 0)
    const took = await report(user, { points: 5, store: 'OSL-1', tags: ['coffee'] })
    expect(took.body.reactors[0]).toMatchObject({
      outcome: 'activated',
      explanation:
        '`$.points > 0` holds ($.points is 5). `$.store in ["OSL-1", "BGO-1"]` holds ($.store is "OSL-1"). `"coffee" in $.tags` holds ($.tags is ["coffee"]).',
    })
    const left = await report(user, { points: 5, store: 'TRD-1', tags: ['coffee'] })
    expect([left.status, left.body.points, left.body.reactors]).toMatchObject([
      200,
      0,
      [
        {
          outcome: 'skipped',
          reason: 'condition_false',
          explanation: '`$.store in ["OSL-1", "BGO-1"]` is false ($.store is "TRD-1").',
          reactions: [],
        },
      ],
    ])
    expect(await balanceOf(shop, user)).toBe(5)
  })

  it('that cannot be worked out fail the reactor, not the event; strict refuses the event', async () => {
    const { report } = await setUp({ conditions: '$.points > 0' }, { name: 'Other' })
    const user = await member(shop, 0)
    const { status, body } = await report(user, { points: 'many' })
    expect([status, body.reactors]).toMatchObject([
      200,
      [
        {
          outcome: 'failed',
          reason: 'expression_failed',
          explanation: 'conditions[0]: expected a number, not "many" (at 10).',
        },
        {
          outcome: 'failed',
          explanation: 'reactions[0]: points are a number, not "many" (at 1).',
        },
      ],
    ])
    const strict = await report(user, { points: 'many' }, {}, '?strict=true')
    expect([strict.status, strict.body.error]).toMatchObject([
      400,
      { code: 'payload_invalid', param: 'payload' },
    ])
  })
})

describe('reactors of one event', () => {
  it('act in their order, each seeing what the one before left', async () => {
    const debit = { type: 'adjust_points', points: '$.points * -1', allowNegative: false }
    const { report, ids } = await setUp(
      { name: 'Spend', order: 2, reactions: [debit] },
      { name: 'Give', order: 1 },
    )
    const user = await member(shop, 0)
    const { body } = await report(user, { points: 10 })
    expect(body.reactors).toMatchObject([
      { reactor: ids[1], outcome: 'activated', reactions: [{ points: 10, balance_after: 10 }] },
      { reactor: ids[0], outcome: 'activated', reactions: [{ points: -10, balance_after: 0 }] },
    ])
  })

  it('act wholly or not at all: allowNegative false keeps all of a reactor from acting', async () => {
    const { report } = await setUp({
      reactions: [
        { type: 'adjust_points', points: '5' },
        { type: 'adjust_points', points: '$.points * -1', allowNegative: false },
      ],
    })
    const user = await member(shop, 10)
    const { body } = await report(user, { points: 16 })
    expect([body.points, body.balance, body.reactors[0]]).toMatchObject([
      0,
      10,
      {
        outcome: 'failed',
        reason: 'insufficient_points',
        required: 16,
        available: 15,
        missing: 1,
        reactions: [],
      },
    ])
    expect((await report(user, { points: 15 })).body).toMatchObject({ points: -10, balance: 0 })
  })

  it('round once, by the program, what its decimals cannot say', async () => {
    const { report } = await setUp({
      reactions: [{ type: 'adjust_points', points: '$.amount / 3' }],
    })
    const user = await member(shop, 0)
    expect((await report(user, { amount: 11 })).body.points).toBe(3) // down
    expect((await report(user, { amount: 2 })).body.reactors[0].reactions).toEqual([
      { type: 'adjust_points', points: 0, transaction: null },
    ])
  })

  it('take a number as it is written, however large or small', async () => {
    const numbers = [1e21, -1.5e21, 1.25e-7, -5e-10, 0.1, 20]
    const { ids } = await setUp({
      reactions: numbers.map((points) => ({ type: 'adjust_points', points })),
    })
    const { body } = await shop.get(`/v1/reactors/${ids[0]}`)
    expect(body.reactions.map(({ points }: { points: string }) => points)).toEqual([
      '1000000000000000000000',
      '-1500000000000000000000',
      '0.000000125',
      '-0.0000000005',
      '0.1',
      '20',
    ])
  })

  it('emit events of their own types, for webhooks and for reading back', async () => {
    const { report } = await setUp({
      reactions: [
        { type: 'emit_event', event: 'sale.counted', payload: { twice: '$.points * 2' } },
      ],
    })
    const user = await member(shop, 0)
    const { body } = await report(user, { points: 10.5 })
    const { data } = (await shop.get(`/v1/events?object=${body.id}&type=sale.counted`)).body
    expect(data).toMatchObject([
      {
        type: 'sale.counted',
        data: { account: user, payload: { twice: 21 }, source: { event: body.id } },
      },
    ])
  })

  it('set tiers where the program sets them by hand, and fail where it does not', async () => {
    const { report } = await setUp({ reactions: [{ type: 'set_tier', tier: 'Gold' }] })
    const user = await member(shop, 0)
    expect((await report(user)).body.reactors[0]).toMatchObject({
      outcome: 'failed',
      reason: 'no_such_tier',
    })
    const program = await shop.post('/v1/loyalty/programs', {
      name: 'Club',
      tierConfig: {
        qualifyOn: 'custom',
        tiers: [
          { name: 'Basic', rank: 0, threshold: 0 },
          { name: 'Gold', rank: 1, threshold: 0 },
        ],
      },
    })
    expect(program.status).toBe(201)
    const account = await shop.post('/v1/loyalty/accounts', { program: program.body.id })
    const { body } = await report(account.body.id)
    expect(body.reactors[0]).toMatchObject({
      outcome: 'activated',
      reactions: [{ type: 'set_tier', tier: 'Gold' }],
    })
    expect((await shop.get(`/v1/loyalty/accounts/${account.body.id}`)).body.tier).toBe('Gold')
  })
})

describe('limits', () => {
  const perUser = (activations: number, window = 'lifetime') => ({
    limits: { per_user: { activations, window } },
  })

  const DAY_MS = 86_400_000
  const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString()
  const outcomeOf = ({ body }: { body: { reactors: { outcome: string; reason?: string }[] } }) =>
    body.reactors[0]?.reason ?? body.reactors[0]?.outcome

  /** An activation of another time; `received` is null where it was received as it happened. */
  const activated = (reactor: string, user: string, at: string, received: string | null) =>
    shop.owner.query(
      `insert into reactor_activation (workspace, event, reactor, account, at, received_at)
       values ($1, ledger_private.vinr_id('evt'), $2, $3, $4, $5)`,
      [shop.workspace, reactor, user, at, received],
    )

  it.each(['per_user', 'in_all'])(
    '%s hold until the window is over, by the time the event happened',
    async (kind) => {
      const { report, ids } = await setUp({ limits: { [kind]: { activations: 2, window: 'day' } } })
      const user = await member(shop, 0)
      await existingSince(daysAgo(30), user, ids)
      const now = { points: 1 }
      await activated(ids[0] ?? '', user, daysAgo(2), null)
      expect(outcomeOf(await report(user, now, { timestamp: daysAgo(2) }))).toBe('activated')
      expect(outcomeOf(await report(user, now, { timestamp: daysAgo(2) }))).toBe('limit_reached')
      expect(outcomeOf(await report(user, now, { timestamp: daysAgo(1) }))).toBe('activated')
      expect(outcomeOf(await report(user, now, { timestamp: daysAgo(3) }))).toBe('limit_reached') // of this day's receipts
      if (kind === 'per_user') {
        expect((await report(await member(shop, 0), now)).body.points).toBe(1)
      }
    },
  )

  it.each(['per_user', 'in_all'])(
    '%s are not stepped over by dating events apart',
    async (kind) => {
      const { report, ids } = await setUp({ limits: { [kind]: { activations: 1, window: 'day' } } })
      const user = await member(shop, 0)
      await existingSince(daysAgo(30), user, ids)
      const outcomes: unknown[] = []
      for (const days of [6, 5, 4, 3, 2, 1]) {
        outcomes.push(outcomeOf(await report(user, { points: 1 }, { timestamp: daysAgo(days) })))
      }
      outcomes.push(outcomeOf(await report(user, { points: 1 })))
      expect(outcomes).toEqual(['activated', ...Array.from({ length: 6 }, () => 'limit_reached')])
      expect(await balanceOf(shop, user)).toBe(1)
    },
  )

  it('leave a day’s activation to that day, however it was dated', async () => {
    const { report, ids } = await setUp(perUser(1, 'day'))
    const user = await member(shop, 0)
    await existingSince(daysAgo(30), user, ids)
    await activated(ids[0] ?? '', user, daysAgo(1), null)
    await activated(ids[0] ?? '', user, daysAgo(6), daysAgo(3))
    expect(outcomeOf(await report(user, { points: 1 }))).toBe('activated')
  })

  it('are not reset by an edit, nor by being taken away and given back', async () => {
    const { report, ids } = await setUp(perUser(1))
    const user = await member(shop, 0)
    await report(user, { points: 1 })
    await shop.patch(`/v1/reactors/${ids[0]}`, { name: 'Renamed', ...perUser(1) })
    const again = await report(user, { points: 1 })
    expect(again.body.reactors[0]).toMatchObject({
      name: 'Renamed',
      outcome: 'skipped',
      reason: 'limit_reached',
      explanation: 'The member has reached the limit of 1 (lifetime).',
    })
    await shop.patch(`/v1/reactors/${ids[0]}`, { limits: {} })
    expect((await report(user, { points: 1 })).body.points).toBe(1)
    await shop.patch(`/v1/reactors/${ids[0]}`, perUser(2))
    expect((await report(user, { points: 1 })).body.points).toBe(0)
    await shop.patch(`/v1/reactors/${ids[0]}`, perUser(3))
    expect((await report(user, { points: 1 })).body.points).toBe(1)
  })

  it('in all are exact, whoever reports at once', async () => {
    const { report } = await setUp({ limits: { in_all: { activations: 5 } } })
    const users = await Promise.all(Array.from({ length: 8 }, () => member(shop, 0)))
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, index) => report(users[index % 8] ?? '', { points: 1 })),
    )
    expect(answers.filter(({ body }) => body.points === 1)).toHaveLength(5)
    const balances = await Promise.all(users.map((user) => balanceOf(shop, user)))
    expect(balances.reduce((sum, one) => sum + one, 0)).toBe(5)
  })

  it('for each member are exact, however many tills report at once', async () => {
    const { report } = await setUp(perUser(3))
    const user = await member(shop, 0)
    await Promise.all(Array.from({ length: 16 }, () => report(user, { points: 1 })))
    expect(await balanceOf(shop, user)).toBe(3)
  })

  it('follow a member who is merged into another', async () => {
    const { report } = await setUp(perUser(1))
    const [source, target] = [await member(shop, 0), await member(shop, 0)]
    await report(source, { points: 1 })
    await shop.post('/v1/loyalty/accounts/merge', { source, target })
    const after = await report(source, { points: 1 })
    expect(after.body).toMatchObject({ user: source, account: target, points: 0 })
  })
})

describe('when a reactor acts', () => {
  it('from its start on and before its end, by the time the event happened', async () => {
    const { report, ids } = await setUp({
      starts_at: '2026-05-01T00:00:00Z',
      ends_at: '2026-06-01T00:00:00Z',
    })
    const user = await member(shop, 0)
    await existingSince('2020-01-01T00:00:00Z', user, ids)
    expect((await shop.put('/settings', { eventMaxAgeDays: 3_650 })).status).toBe(200)
    const at = async (timestamp: string) => {
      const { body } = await report(user, { points: 1 }, { timestamp })
      return body.reactors[0].reason ?? body.reactors[0].outcome
    }
    expect([
      await at('2026-04-30T23:59:59.999Z'),
      await at('2026-05-01T00:00:00Z'),
      await at('2026-05-31T23:59:59.999Z'),
      await at('2026-06-01T00:00:00Z'),
    ]).toEqual(['not_started', 'activated', 'activated', 'ended'])
    expect((await shop.put('/settings', { eventMaxAgeDays: null })).status).toBe(200)
  })

  it('on nothing that happened before it was made', async () => {
    const { report, ids } = await setUp({}, {})
    const user = await member(shop, 0)
    const hour = 3_600_000
    await existingSince(new Date(Date.now() - 10 * hour).toISOString(), user, ids.slice(0, 1))
    const timestamp = new Date(Date.now() - hour).toISOString()
    const { body } = await report(user, { points: 1 }, { timestamp })
    expect(body.reactors).toMatchObject([
      { outcome: 'activated' },
      {
        outcome: 'skipped',
        reason: 'not_started',
        explanation: expect.stringContaining('was made at'),
      },
    ])
  })

  it('not once it is switched off or deleted', async () => {
    const { report, ids } = await setUp({}, {})
    const user = await member(shop, 0)
    await shop.patch(`/v1/reactors/${ids[0]}`, { active: false })
    expect((await shop.delete(`/v1/reactors/${ids[1]}`)).body).toEqual({
      id: ids[1],
      object: 'reactor',
      deleted: true,
    })
    expect((await report(user, { points: 1 })).body).toMatchObject({ points: 0, reactors: [] })
    expect((await shop.get(`/v1/reactors/${ids[1]}`)).status).toBe(404)
    expect((await shop.patch(`/v1/reactors/${ids[1]}`, { active: true })).status).toBe(404)
  })

  it('as it is, also where it is edited while many tills report', async () => {
    const { report, ids } = await setUp({ reactions: [{ type: 'adjust_points', points: '1' }] })
    const user = await member(shop, 0)
    const edits = (async () => {
      for (let points = 2; points <= 6; points++) {
        const reactions = [{ type: 'adjust_points', points: String(points) }]
        await shop.patch(`/v1/reactors/${ids[0]}`, { reactions })
      }
    })()
    const answers = await Promise.all(Array.from({ length: 32 }, () => report(user)))
    await edits
    const statuses = new Set(answers.map(({ status }) => status))
    expect(statuses).toEqual(new Set([200]))
    const given = answers.reduce((sum, { body }) => sum + body.points, 0)
    expect(await balanceOf(shop, user)).toBe(given)
    expect((await report(user)).body.points).toBe(6)
  })
})

describe('a dry run', () => {
  it('explains every reactor of the type, and writes nothing', async () => {
    const { report, ids } = await setUp(
      { active: false },
      { conditions: '$.points > 100' },
      { limits: { per_user: { activations: 1 } } },
    )
    const user = await member(shop, 0)
    const before = (await shop.get('/v1/events?limit=1')).body.data[0].id
    const dry = async () => (await report(user, { points: 7 }, {}, '?dry_run=true')).body
    const first = await dry()
    expect(first).toMatchObject({
      status: 'dry_run',
      points: 7,
      balance: 7,
      reactors: [
        { reactor: ids[0], outcome: 'skipped', reason: 'inactive' },
        { reactor: ids[1], outcome: 'skipped', reason: 'condition_false' },
        {
          reactor: ids[2],
          outcome: 'activated',
          reactions: [{ points: 7, transaction: null, balance_after: 7 }],
        },
      ],
    })
    expect(first).not.toHaveProperty('id')
    expect((await dry()).reactors).toEqual(first.reactors)
    expect(await balanceOf(shop, user)).toBe(0)
    expect((await shop.get('/v1/events?limit=1')).body.data[0].id).toBe(before)
    expect((await report(user, { points: 7 })).body.points).toBe(7)
    expect((await dry()).reactors[2]).toMatchObject({ reason: 'limit_reached' })
  })

  it('of one reactor tries it though it is not active', async () => {
    const { ids } = await setUp({ active: false })
    const user = await member(shop, 0)
    const { status, body } = await shop.post(`/v1/reactors/${ids[0]}/dry_run`, {
      user,
      payload: { points: 3 },
    })
    expect([status, body]).toMatchObject([
      200,
      { status: 'dry_run', points: 3, reactors: [{ reactor: ids[0], outcome: 'activated' }] },
    ])
    expect(await balanceOf(shop, user)).toBe(0)
  })

  it('says of a strict event what it would say in earnest', async () => {
    const { report } = await setUp({
      reactions: [{ type: 'adjust_points', points: '$.points * -1' }],
    })
    const user = await member(shop, 5)
    const { status, body } = await report(user, { points: 6 }, {}, '?strict=true&dry_run=true')
    expect([status, body.error.code, body.error.missing]).toEqual([422, 'insufficient_points', 1])
  })
})

describe('what a reactor may not be', () => {
  const adjust = { type: 'adjust_points', points: '1' }
  it.each([
    ['of no known type', { trigger: 'NOTHING' }, 404, 'resource_missing', 'trigger'],
    [
      'of the platform’s own events',
      { trigger: 'payment.completed' },
      400,
      'parameter_invalid',
      'trigger',
    ],
    ['without reactions', { reactions: [] }, 400, 'parameter_invalid', 'reactions'],
    [
      'with an expression that is none',
      { reactions: [{ ...adjust, points: '$.points *' }] },
      400,
      'parameter_invalid',
      'reactions.0.points',
    ],
    [
      'with a number beyond all reason',
      { reactions: [{ ...adjust, points: 1e300 }] },
      400,
      'parameter_invalid',
      'reactions.0.points',
    ],
    [
      'with such a condition',
      { conditions: ['true', '1 <'] },
      400,
      'parameter_invalid',
      'conditions.1',
    ],
    [
      'one that speaks for the platform',
      { reactions: [{ type: 'emit_event', event: 'loyalty.points.earned' }] },
      403,
      'event_type_intrinsic',
      'reactions.0.event',
    ],
    [
      'one that ends before it starts',
      { starts_at: '2026-06-01T00:00:00Z', ends_at: '2026-05-01T00:00:00Z' },
      400,
      'parameter_invalid',
      'ends_at',
    ],
    [
      'with a limit of nothing',
      { limits: { per_user: { activations: 0 } } },
      400,
      'parameter_invalid',
      'limits.per_user.activations',
    ],
    [
      'with a window of its own',
      { limits: { in_all: { activations: 1, window: 'year' } } },
      400,
      'parameter_invalid',
      'limits.in_all.window',
    ],
  ])('%s', async (_what, change, status, code, param) => {
    const { trigger } = await setUp()
    const body = { name: 'Wrong', trigger, reactions: [adjust], ...change }
    const answer = await shop.post('/v1/reactors', body)
    expect([answer.status, answer.body.error.code, answer.body.error.param]).toEqual([
      status,
      code,
      param,
    ])
  })

  it('and an expression’s problem is said with its place', async () => {
    const { trigger } = await setUp()
    const reactions = [{ ...adjust, points: '$.points ** 2' }]
    const { body } = await shop.post('/v1/reactors', { name: 'Wrong', trigger, reactions })
    expect(body.error.message).toContain('unexpected * (at 11)')
  })
})

describe('an event type', () => {
  const create = (trigger: string, key: string) =>
    shop.post(
      '/v1/reactors',
      { name: key, trigger, reactions: [{ type: 'adjust_points', points: 1 }] },
      { idempotencyKey: key },
    )

  it('has fifty reactors at most; a repeat of the fiftieth is replayed, and of two at once one is refused', async () => {
    const { trigger } = await setUp(...Array.from({ length: 48 }, () => ({})))
    const [one, other, third] = await Promise.all(
      ['one', 'other', 'third'].map((name) => create(trigger, `${trigger}-${name}`)),
    )
    const answers = [one, other, third].map((answer) => answer?.status)
    expect(answers.filter((status) => status === 201)).toHaveLength(2)
    const refused = [one, other, third].find((answer) => answer?.status === 400)
    expect(refused?.body.error).toMatchObject({
      code: 'parameter_invalid',
      param: 'trigger',
      message: 'trigger: has 50 reactors already.',
    })
    const kept =
      answers[0] === 201 ? { answer: one, name: 'one' } : { answer: other, name: 'other' }
    const again = await create(trigger, `${trigger}-${kept.name}`)
    expect([again.status, again.body.id]).toEqual([200, kept.answer?.body.id])
  })
})
