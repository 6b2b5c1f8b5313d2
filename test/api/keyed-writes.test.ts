import request from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { underV1 } from '../../api/server/declaration.ts'
import { ENDPOINTS } from '../../api/server/endpoints.ts'
import { newId } from '../../domain/ids.ts'
import { person } from './people.ts'
import { openShop, type Shop } from './shop.ts'

// Every route that writes, with an Idempotency-Key: a repeat changes nothing and answers with the object as
// it is now; another request is refused; of two at once one writes; and a refusal leaves the key unused.

/** Nothing runs behind the API here: imports stay as they are, deliveries wait. */
let still: Shop
/** With a worker, for what a redemption's run does. */
let running: Shop
beforeAll(async () => {
  ;[still, running] = await Promise.all([openShop({ worker: false }), openShop()])
})
afterAll(async () => {
  expect(await still.reconcile()).toEqual([])
  expect(await running.reconcile()).toEqual([])
  await Promise.all([still.close(), running.close()])
})

type Send = { path: string; body?: object | undefined; text?: string | undefined }
type Case = Send & {
  shop?: Shop
  /** Another write, after which a repeat that is applied again would show. */
  between(first: { id: string }): Promise<unknown>
  /** What shows whether something was written. */
  read(first: { id: string }): string
  /** Its secret is kept as a hash: a repeat has none to show. */
  shownOnce?: boolean
  /** The same of a one-time token, in this field or as it. */
  hiddenOnce?: 'invitation' | 'token'
  /** The answer is no object that `read` reads. */
  isReport?: boolean
  /** Another request of this route, which the same key refuses; undefined: the path alone says what is repeated. */
  other: Send | undefined
  /** A request of this route that is refused; where it is not said, the same of objects that there are not. */
  refused?: Send
}

const V1 = '/v1/loyalty'
const ok = async (sent: request.Test) => {
  const { status, body } = await sent
  expect(status, JSON.stringify(body)).toBeLessThan(300)
  return body
}
const post = (path: string, body: object = {}, shop = still) => ok(shop.post(path, body))
const patch = (path: string, body: object) => ok(still.patch(path, body))
const member = async (amount = 1_000, shop = still): Promise<string> => {
  const { id } = await post(`${V1}/accounts`, {}, shop)
  await post(`${V1}/transactions`, { account: id, amount, reason: 'welcome' }, shop)
  return id
}
const anything = () => post(`${V1}/accounts`)
const FIVE_OFF = {
  name: 'Five off',
  type: 'discount_amount',
  cost: 100,
  value: { amount: 500, currency: 'EUR' },
}
const BAG = { name: 'Bag', type: 'free_product', cost: 100, value: { product: 'Bag' } }
const reward = (body: object = FIVE_OFF, shop = still) => post(`${V1}/rewards`, body, shop)
const payment = (more: object = {}, shop = still) =>
  post('/v1/payments', { amount: 5_000, currency: 'EUR', card: '4242424242424242', ...more }, shop)
const ENDPOINT = { url: 'http://127.0.0.1:9/hooks' }
const webhook = () => post('/v1/webhook_endpoints', ENDPOINT)
const eventType = async (): Promise<string> => {
  const name = newId('ety').toUpperCase().replace(/\W/g, '_')
  await post('/v1/event_types', { name, schema: { type: 'object' } })
  return name
}
const REACTION = { type: 'adjust_points', points: '$.points * -1' }
const reactor = async () =>
  post('/v1/reactors', { name: 'R', trigger: await eventType(), reactions: [REACTION] })
const rule = () => post(`${V1}/earning_rules`, { award: { fixed: 1 }, active: false })
const pool = () => post(`${V1}/code_pools`, { name: 'Cinema' })
const tagged = async () => {
  const batch = newId('op')
  const row = { account: await member(), amount: 5, reason: 'gift', metadata: { batch } }
  await post(`${V1}/transactions`, row)
  return batch
}
const attention = async () => {
  const id = newId('att')
  await still.owner.query(
    `insert into attention (workspace, id, kind, object, key, details, since, last_at)
     values ($1, $2, 'late_payment', 'rdm_1', $2, '{}', now(), now())`,
    [still.workspace, id],
  )
  return id
}
/** What somebody else asked for, or the shop's own key, above a limit. */
const asked = async (): Promise<string> => {
  const support = await person(still, 'support')
  const body = { account: await member(), amount: 5_001, reason: 'goodwill' }
  return (await ok(support.send('post', `${V1}/transactions`, body))).id
}
const askedByKey = async (): Promise<string> => {
  const owner = await person(still, 'owner')
  const { data } = await ok(still.get('/v1/api_keys?type=secret&limit=100'))
  const { secretKey } = still.keys
  const own = data.find(({ prefix }: { prefix: string }) => secretKey.startsWith(prefix))
  await ok(owner.send('put', '/v1/settings', { [`approvals.${own.id}.points`]: 1_000_000 }))
  const body = { account: await member(), amount: 1_000_001, reason: 'goodwill' }
  return (await post(`${V1}/transactions`, body)).id
}
const settling = async (verb: string, id: string): Promise<Case> => {
  const path = `/v1/approvals/${id}/${verb}`
  return {
    path,
    body: { note: 'as agreed' },
    between: anything,
    read: () => `/v1/approvals/${id}`,
    other: { path, body: { note: 'or not' } },
  }
}
const file = (account: string) => `${JSON.stringify({ account, amount: 1 })}\n`
const imported = async () => {
  const sent = request(still.app).post(`${V1}/imports`).set('X-Api-Key', still.keys.secretKey)
  return ok(sent.type('application/x-ndjson').send(file(await member())))
}
const reversal = async () => post(`${V1}/batches/${await tagged()}/reverse`)
const redemption = async (of: object, more: object = {}) => {
  const account = await member(1_000, running)
  const { id } = await reward(of, running)
  return post(`${V1}/redemptions`, { account, reward: id, ...more }, running)
}
const registered = async () => {
  const body = { kind: 'external_id', external_id: newId('op') }
  return { account: await member(), body }
}
const held = async () => {
  const name = newId('ety').toUpperCase().replace(/\W/g, '_')
  await post('/v1/event_types', { name, schema: { type: 'object' } }, running)
  await post('/v1/reactors', { name: 'R', trigger: name, reactions: [REACTION] }, running)
  const user = await member(1_000, running)
  const body = { type: name, user, payload: { points: 10 }, eventId: newId('op'), hold: true }
  await post('/v1/events', body, running)
  return { user, eventId: body.eventId, read: `${V1}/transactions?account=${user}` }
}
const settled = async (verb: 'confirm' | 'cancel'): Promise<Case> => {
  const { user, eventId, read } = await held()
  const more = { account: user, amount: 1, reason: 'more' }
  return {
    shop: running,
    path: `/v1/events/${eventId}/${verb}`,
    between: () => post(`${V1}/transactions`, more, running),
    read: () => read,
    isReport: true,
    other: undefined, // a till needs no key: the event is settled once, by whichever request
  }
}
/** Another change of the same object, so that the first one's values are no longer its own. */
const changed = (base: string, id: string, first: object, second: object): Case => ({
  path: `${base}/${id}`,
  body: first,
  between: () => patch(`${base}/${id}`, second),
  read: () => `${base}/${id}`,
  other: { path: `${base}/${id}`, body: second },
})
const UNKNOWN = { nonsense: 1 }
const made = (
  base: string,
  body: object,
  change: object,
  other: object,
  refused: object = UNKNOWN,
): Case => ({
  path: base,
  body,
  between: ({ id }) => patch(`${base}/${id}`, change),
  read: ({ id }) => `${base}/${id}`,
  other: { path: base, body: { ...body, ...other } },
  refused: { path: base, body: { ...body, ...refused } },
})
/** A verb without a body, which another one takes back; `another` object's is another request. */
const turned = async (
  base: string,
  make: () => Promise<string>,
  verb: string,
  back: string,
): Promise<Case> => {
  const id = await make()
  return {
    path: `${base}/${id}/${verb}`,
    between: () => post(`${base}/${id}/${back}`),
    read: () => `${base}/${id}`,
    other: { path: `${base}/${await make()}/${verb}` },
  }
}
const idOf = async (object: Promise<{ id: string }>): Promise<string> => (await object).id
const MISSING_PROGRAM = { program: newId('prog') }
const NAME = { name: 'Another' }

const invited = () =>
  post('/v1/team_members', { email: `${newId('op')}@shop.example`.toLowerCase(), role: 'viewer' })
const accepted = async () => {
  const somebody = await invited()
  const { token } = somebody.invitation
  await ok(
    request(still.app).post('/v1/sessions').send({ token, password: 'a long enough password' }),
  )
  return somebody
}
const apiKey = () => post('/v1/api_keys', { scopes: ['rewards:read'] })
const CASES: Readonly<Record<string, () => Promise<Case>>> = {
  'POST /v1/loyalty/accounts': async () => {
    const customer = newId('op')
    await post(`${V1}/accounts`, { customer })
    const [change, other] = [{ metadata: { a: 'b' } }, { metadata: {} }]
    return made(`${V1}/accounts`, { customer: newId('op') }, change, other, { customer })
  },
  'PATCH /v1/loyalty/accounts/{id}': async () =>
    changed(`${V1}/accounts`, await member(), { metadata: { a: '1' } }, { metadata: { a: '2' } }),
  'POST /v1/loyalty/accounts/{id}/close': async () =>
    turned(`${V1}/accounts`, () => member(), 'close', 'reopen'),
  'POST /v1/loyalty/accounts/{id}/reopen': async () => {
    const closed = async () => {
      const id = await member()
      await post(`${V1}/accounts/${id}/close`)
      return id
    }
    return turned(`${V1}/accounts`, closed, 'reopen', 'close')
  },
  'POST /v1/loyalty/accounts/{id}/erase': async () => {
    const id = await member()
    return {
      path: `${V1}/accounts/${id}/erase`,
      between: anything,
      read: () => `${V1}/accounts/${id}/erasure`,
      other: { path: `${V1}/accounts/${await member()}/erase` },
    }
  },
  'POST /v1/loyalty/accounts/merge': async () => {
    const [source, target] = [await member(), await member()]
    return {
      path: `${V1}/accounts/merge`,
      body: { source, target },
      between: () => patch(`${V1}/accounts/${target}`, { metadata: { a: 'b' } }),
      read: () => `${V1}/accounts/${target}`,
      other: { path: `${V1}/accounts/merge`, body: { source: await member(), target } },
      refused: { path: `${V1}/accounts/merge`, body: { source: newId('loy'), target } },
    }
  },
  'POST /v1/loyalty/accounts/{id}/set_tier': async () => {
    const tier = (name: string, rank: number) => ({ name, rank, threshold: rank, multiplier: 1 })
    const tiers = [tier('Silver', 1), tier('Gold', 2)]
    const program = await post(`${V1}/programs`, {
      name: 'By hand',
      tierConfig: { qualifyOn: 'custom', tiers },
    })
    const { id } = await post(`${V1}/accounts`, { program: program.id })
    const path = `${V1}/accounts/${id}/set_tier`
    return {
      path,
      body: { tier: 'Gold' },
      between: () => post(path, { tier: 'Silver' }),
      read: () => `${V1}/accounts/${id}`,
      other: { path, body: { tier: 'Silver' } },
      refused: { path, body: { tier: 'Iron' } },
    }
  },
  'POST /v1/loyalty/rewards': async () =>
    made(`${V1}/rewards`, FIVE_OFF, NAME, { cost: 7 }, MISSING_PROGRAM),
  'PATCH /v1/loyalty/rewards/{id}': async () =>
    changed(`${V1}/rewards`, (await reward()).id, { cost: 200 }, { cost: 300 }),
  'POST /v1/loyalty/rewards/{id}/archive': async () =>
    turned(`${V1}/rewards`, () => idOf(reward()), 'archive', 'unarchive'),
  'POST /v1/loyalty/rewards/{id}/unarchive': async () =>
    turned(`${V1}/rewards`, () => idOf(reward()), 'unarchive', 'archive'),
  'POST /v1/loyalty/redemptions': async () => {
    const account = await member(1_000, running)
    const { id } = await reward(FIVE_OFF, running)
    return {
      shop: running,
      path: `${V1}/redemptions`,
      body: { account, reward: id },
      between: (first) => post(`${V1}/redemptions/${first.id}/cancel`, {}, running),
      read: (first) => `${V1}/redemptions/${first.id}`,
      other: { path: `${V1}/redemptions`, body: { account, reward: id, quantity: 2 } },
      refused: { path: `${V1}/redemptions`, body: { account, reward: id, quantity: 50 } },
    }
  },
  'POST /v1/loyalty/redemptions/{id}/cancel': async () => {
    const { id, account } = await redemption(FIVE_OFF)
    return {
      shop: running,
      path: `${V1}/redemptions/${id}/cancel`,
      between: () => post(`${V1}/transactions`, { account, amount: 1, reason: 'more' }, running),
      read: () => `${V1}/redemptions/${id}`,
      other: { path: `${V1}/redemptions/${(await redemption(FIVE_OFF)).id}/cancel` },
    }
  },
  'POST /v1/loyalty/redemptions/{id}/extend': async () => {
    const { id } = await redemption(FIVE_OFF)
    const path = `${V1}/redemptions/${id}/extend`
    return {
      shop: running,
      path,
      body: { minutes: 10 },
      between: () => post(path, { minutes: 20 }, running),
      read: () => `${V1}/redemptions/${id}`,
      other: { path, body: { minutes: 11 } },
    }
  },
  'POST /v1/loyalty/redemptions/{id}/reverse': async () => {
    const { id } = await redemption(BAG, { quantity: 3 })
    const path = `${V1}/redemptions/${id}/reverse`
    return {
      shop: running,
      path,
      body: { reason: 'broken', points: 10 },
      between: () => post(path, { reason: 'broken', points: 20 }, running),
      read: () => `${V1}/redemptions/${id}`,
      other: { path, body: { reason: 'broken', points: 11 } },
    }
  },
  'POST /v1/loyalty/redemptions/{id}/fulfill': async () => {
    const { id } = await redemption(BAG, { quantity: 3 })
    const path = `${V1}/redemptions/${id}/fulfill`
    return {
      shop: running,
      path,
      body: { quantity: 1, tracking: '1' },
      between: () => post(path, { quantity: 1, tracking: '2' }, running),
      read: () => `${V1}/redemptions/${id}`,
      other: { path, body: { quantity: 1, tracking: '3' } },
    }
  },
  'POST /v1/loyalty/code_pools': async () => ({
    path: `${V1}/code_pools`,
    body: { name: 'Cinema' },
    between: ({ id }) => post(`${V1}/code_pools/${id}/codes`, { codes: ['CINE-0001'] }),
    read: ({ id }) => `${V1}/code_pools/${id}`,
    other: { path: `${V1}/code_pools`, body: NAME },
    refused: { path: `${V1}/code_pools`, body: UNKNOWN },
  }),
  'POST /v1/loyalty/code_pools/{id}/codes': async () => {
    const { id } = await pool()
    const path = `${V1}/code_pools/${id}/codes`
    return {
      path,
      body: { codes: ['CINE-1001', 'CINE-1002'] },
      between: () => post(path, { codes: ['CINE-1003'] }),
      read: () => `${V1}/code_pools/${id}`,
      isReport: true,
      other: { path, body: { codes: ['CINE-1004'] } },
    }
  },
  'POST /v1/loyalty/imports': async () => ({
    path: `${V1}/imports`,
    text: file(await member()),
    between: ({ id }) => post(`${V1}/imports/${id}/pause`),
    read: ({ id }) => `${V1}/imports/${id}`,
    other: { path: `${V1}/imports`, text: file(await member()) },
    refused: { path: `${V1}/imports`, text: file(newId('loy')) },
  }),
  'POST /v1/loyalty/imports/{id}/pause': async () =>
    turned(`${V1}/imports`, () => idOf(imported()), 'pause', 'resume'),
  'POST /v1/loyalty/imports/{id}/cancel': async () => {
    // it is for good: what comes between finds it canceled, and leaves it so
    return turned(`${V1}/imports`, () => idOf(imported()), 'cancel', 'pause')
  },
  'POST /v1/loyalty/imports/{id}/resume': async () => {
    const paused = async () => idOf(post(`${V1}/imports/${await idOf(imported())}/pause`))
    return turned(`${V1}/imports`, paused, 'resume', 'pause')
  },
  'POST /v1/loyalty/batches/{batch}/reverse': async () => ({
    path: `${V1}/batches/${await tagged()}/reverse`,
    between: ({ id }) => post(`${V1}/batch_reversals/${id}/pause`),
    read: ({ id }) => `${V1}/batch_reversals/${id}`,
    other: { path: `${V1}/batches/${await tagged()}/reverse` },
  }),
  'POST /v1/loyalty/batch_reversals/{id}/pause': async () =>
    turned(`${V1}/batch_reversals`, () => idOf(reversal()), 'pause', 'resume'),
  'POST /v1/loyalty/batch_reversals/{id}/resume': async () => {
    const paused = async () => idOf(post(`${V1}/batch_reversals/${await idOf(reversal())}/pause`))
    return turned(`${V1}/batch_reversals`, paused, 'resume', 'pause')
  },
  'POST /v1/loyalty/programs': async () =>
    made(
      `${V1}/programs`,
      { name: 'Club' },
      NAME,
      { auto_enroll: true },
      { expiry: { mode: 'rolling' } },
    ),
  'PATCH /v1/loyalty/programs/{id}': async () =>
    changed(
      `${V1}/programs`,
      await idOf(post(`${V1}/programs`, NAME)),
      { name: 'One' },
      { name: 'Two' },
    ),
  'POST /v1/loyalty/transactions/batch': async () => {
    const account = await member()
    const rows = (amount: number) => ({ transactions: [{ account, amount, reason: 'gift' }] })
    return {
      path: `${V1}/transactions/batch`,
      body: rows(5),
      between: () => post(`${V1}/transactions/batch`, rows(6)),
      read: () => `${V1}/accounts/${account}`,
      isReport: true,
      other: { path: `${V1}/transactions/batch`, body: rows(7) },
      refused: { path: `${V1}/transactions/batch`, body: rows(-1_000_000) },
    }
  },
  'POST /v1/loyalty/transactions/{id}/reverse': async () => {
    const account = await member()
    const credit = { account, amount: 5, reason: 'gift' }
    const { id } = await post(`${V1}/transactions`, credit)
    return {
      path: `${V1}/transactions/${id}/reverse`,
      between: () => post(`${V1}/transactions`, credit),
      read: () => `${V1}/accounts/${account}`,
      isReport: true,
      other: { path: `${V1}/transactions/${id}/reverse`, body: { reason: 'other' } },
    }
  },
  'POST /v1/loyalty/transactions': async () => {
    const account = await member()
    const credit = { account, amount: 5, reason: 'gift' }
    return {
      path: `${V1}/transactions`,
      body: credit,
      between: () => post(`${V1}/transactions`, credit),
      read: () => `${V1}/accounts/${account}`,
      isReport: true,
      other: { path: `${V1}/transactions`, body: { ...credit, amount: 6 } },
      refused: { path: `${V1}/transactions`, body: { ...credit, amount: -1_000_000 } },
    }
  },
  'POST /v1/payments': async () => {
    const body = { amount: 500, currency: 'EUR' }
    return {
      path: '/v1/payments',
      body,
      between: ({ id }) => post(`/v1/payments/${id}/cancel`),
      read: ({ id }) => `/v1/payments/${id}`,
      other: { path: '/v1/payments', body: { ...body, amount: 600 } },
      refused: { path: '/v1/payments', body: { ...body, redemptions: [newId('rdm')] } },
    }
  },
  'POST /v1/payments/{id}/confirm': async () => {
    const { id } = await payment({ card: '4000000000003220' })
    return {
      path: `/v1/payments/${id}/confirm`,
      between: () => post('/v1/refunds', { payment: id, amount: 100 }),
      read: () => `/v1/payments/${id}`,
      other: { path: `/v1/payments/${id}/confirm`, body: { card: '4242424242424242' } },
    }
  },
  'POST /v1/payments/{id}/cancel': async () => {
    const open = async () =>
      `/v1/payments/${await idOf(post('/v1/payments', { amount: 500, currency: 'EUR' }))}`
    return {
      path: `${await open()}/cancel`,
      between: anything,
      read: ({ id }) => `/v1/payments/${id}`,
      other: { path: `${await open()}/cancel` },
    }
  },
  'POST /v1/payments/{id}/replay_award': async () => {
    const customer = newId('op')
    const { id } = await payment({ customer })
    return {
      path: `/v1/payments/${id}/replay_award`,
      between: () => post(`${V1}/accounts`, { customer }),
      read: () => `${V1}/transactions?payment=${id}`,
      isReport: true,
      other: { path: `/v1/payments/${(await payment()).id}/replay_award` },
    }
  },
  'POST /v1/refunds': async () => {
    const { id } = await payment()
    const body = { payment: id, amount: 100 }
    return {
      path: '/v1/refunds',
      body,
      between: () => post('/v1/refunds', { payment: id, amount: 200 }),
      read: () => `/v1/payments/${id}`,
      isReport: true,
      other: { path: '/v1/refunds', body: { ...body, amount: 101 } },
      refused: { path: '/v1/refunds', body: { payment: id, amount: 1_000_000 } },
    }
  },
  'POST /v1/loyalty/earning_rules': async () =>
    made(
      `${V1}/earning_rules`,
      { award: { fixed: 1 }, active: false },
      NAME,
      NAME,
      MISSING_PROGRAM,
    ),
  'PATCH /v1/loyalty/earning_rules/{id}': async () =>
    changed(`${V1}/earning_rules`, (await rule()).id, { multiplier: 2 }, { multiplier: 3 }),
  'POST /v1/webhook_endpoints': async () => {
    const change = { description: 'another' }
    const refused = { url: 'http://10.0.0.1/hooks' }
    return made('/v1/webhook_endpoints', ENDPOINT, change, change, refused)
  },
  'PATCH /v1/webhook_endpoints/{id}': async () =>
    changed(
      '/v1/webhook_endpoints',
      (await webhook()).id,
      { description: 'one', status: 'disabled' },
      { description: 'two', status: 'enabled' },
    ),
  'DELETE /v1/webhook_endpoints/{id}': async () => ({
    path: `/v1/webhook_endpoints/${(await webhook()).id}`,
    between: webhook,
    read: () => '/v1/webhook_endpoints',
    isReport: true,
    other: { path: `/v1/webhook_endpoints/${(await webhook()).id}` },
  }),
  'POST /v1/webhook_endpoints/{id}/roll_secret': async () => {
    const { id } = await webhook()
    const path = `/v1/webhook_endpoints/${id}/roll_secret`
    return {
      path,
      body: { overlap_hours: 1 },
      between: () => post(path),
      read: () => `/v1/webhook_endpoints/${id}`,
      other: { path, body: { overlap_hours: 2 } },
    }
  },
  'POST /v1/webhook_endpoints/{id}/test': async () => {
    const { id } = await webhook()
    return {
      path: `/v1/webhook_endpoints/${id}/test`,
      between: () => patch(`/v1/webhook_endpoints/${id}`, { status: 'disabled' }),
      read: () => `/v1/webhook_endpoints/${id}/deliveries`,
      isReport: true,
      other: { path: `/v1/webhook_endpoints/${await idOf(webhook())}/test` },
    }
  },
  'POST /v1/webhook_endpoints/{id}/replay': async () => {
    const { id } = await webhook()
    const path = `/v1/webhook_endpoints/${id}/replay`
    return {
      path,
      body: { created: { gte: 0 } },
      between: async () => {
        await anything() // a new event, which the window would reach by now
        await patch(`/v1/webhook_endpoints/${id}`, { status: 'disabled' })
      },
      read: () => `/v1/webhook_endpoints/${id}/deliveries?limit=100`,
      isReport: true,
      other: { path, body: { created: { gte: 1 } } },
    }
  },
  'POST /v1/event_types': async () => {
    const body = { name: `type.${newId('ety').slice(4)}`, schema: { type: 'object' } }
    const change = { schema: { type: 'object', additionalProperties: true } }
    return made('/v1/event_types', body, change, change, { name: await eventType() })
  },
  'PATCH /v1/event_types/{id}': async () => {
    const of = (type: string) => ({ schema: { type: 'object', properties: { p: { type } } } })
    return {
      ...changed('/v1/event_types', await eventType(), of('string'), of('number')),
      refused: { path: '/v1/event_types/unknown', body: of('string') },
    }
  },
  'POST /v1/reactors': async () => {
    const { id: gift } = await reward(BAG)
    const reactions = [{ type: 'issue_reward', reward: gift }]
    const body = { name: 'R', trigger: await eventType(), reactions }
    return {
      ...made('/v1/reactors', body, NAME, NAME, { trigger: 'UNKNOWN' }),
      between: async ({ id }) => {
        await patch(`/v1/reactors/${id}`, NAME)
        await patch(`${V1}/rewards/${gift}`, { variants: [{ id: 'red' }] }) // no reactor may give it now
      },
    }
  },
  'PATCH /v1/reactors/{id}': async () =>
    changed('/v1/reactors', (await reactor()).id, { order: 1 }, { order: 2 }),
  'DELETE /v1/reactors/{id}': async () => ({
    path: `/v1/reactors/${(await reactor()).id}`,
    between: reactor,
    read: () => '/v1/reactors',
    isReport: true,
    other: { path: `/v1/reactors/${(await reactor()).id}` },
  }),
  'POST /v1/events': async () => {
    const { trigger } = await reactor()
    const user = await member()
    const body = (points: number) => ({ type: trigger, user, payload: { points } })
    return {
      path: '/v1/events',
      body: body(10),
      between: () => post('/v1/events', body(20)),
      read: () => `${V1}/transactions?account=${user}`,
      isReport: true,
      other: { path: '/v1/events', body: body(30) },
      refused: { path: '/v1/events', body: { ...body(10), user: newId('loy') } },
    }
  },
  'POST /v1/api_keys': async () => ({
    ...made('/v1/api_keys', { scopes: ['rewards:read'] }, NAME, NAME),
    shownOnce: true,
  }),
  'PATCH /v1/api_keys/{id}': async () =>
    changed('/v1/api_keys', (await apiKey()).id, { name: 'One' }, { name: 'Two' }),
  'POST /v1/api_keys/{id}/roll': async () => {
    const { id } = await apiKey()
    const path = `/v1/api_keys/${id}/roll`
    return {
      shownOnce: true,
      path,
      body: { overlap_hours: 1 },
      between: () => post(path),
      read: () => `/v1/api_keys/${id}`,
      other: { path, body: { overlap_hours: 2 } },
    }
  },
  'POST /v1/api_keys/{id}/revoke': async () => ({
    path: `/v1/api_keys/${(await apiKey()).id}/revoke`,
    between: apiKey,
    read: ({ id }) => `/v1/api_keys/${id}`,
    other: { path: `/v1/api_keys/${(await apiKey()).id}/revoke` },
  }),
  'POST /v1/team_members': async () => {
    const email = `${newId('op')}@shop.example`.toLowerCase()
    return {
      path: '/v1/team_members',
      body: { email, role: 'viewer' },
      hiddenOnce: 'invitation',
      refused: { path: '/v1/team_members', body: { email, role: 'nobody' } },
      between: ({ id }) => post(`/v1/team_members/${id}/invite`),
      read: ({ id }) => `/v1/team_members/${id}`,
      other: { path: '/v1/team_members', body: { email, role: 'admin' } },
    }
  },
  'PATCH /v1/team_members/{id}': async () => {
    const { id } = await accepted()
    return changed('/v1/team_members', id, { status: 'disabled' }, { status: 'active' })
  },
  'POST /v1/team_members/{id}/invite': async () => {
    const { id } = await invited()
    const path = `/v1/team_members/${id}/invite`
    return {
      path,
      hiddenOnce: 'invitation',
      between: () => post(path),
      read: () => `/v1/team_members/${id}`,
      other: { path: `/v1/team_members/${(await invited()).id}/invite` },
    }
  },
  'POST /v1/team_members/{id}/reset_password': async () => {
    const { id } = await invited()
    const path = `/v1/team_members/${id}/reset_password`
    return {
      path,
      hiddenOnce: 'token',
      between: () => post(path),
      read: () => `/v1/team_members/${id}`,
      isReport: true,
      other: { path: `/v1/team_members/${(await invited()).id}/reset_password` },
    }
  },
  'PATCH /v1/memberships/{id}': async () =>
    changed(
      '/v1/memberships',
      (await invited()).membership,
      { role: 'admin' },
      { role: 'support' },
    ),
  'DELETE /v1/memberships/{id}': async () => ({
    path: `/v1/memberships/${(await invited()).membership}`,
    between: invited,
    read: () => '/v1/memberships',
    isReport: true,
    other: { path: `/v1/memberships/${(await invited()).membership}` },
  }),
  'POST /v1/approvals/{id}/approve': async () => settling('approve', await asked()),
  'POST /v1/approvals/{id}/decline': async () => settling('decline', await asked()),
  'POST /v1/approvals/{id}/withdraw': async () => settling('withdraw', await askedByKey()),
  'POST /v1/attention/{id}/snooze': async () => {
    const path = `/v1/attention/${await attention()}/snooze`
    const until = '2100-01-01T00:00:00Z'
    return {
      path,
      body: { until, reason: 'on Monday' },
      between: () => post(path, { until, reason: 'on Friday' }),
      read: ({ id }) => `/v1/attention/${id}`,
      other: { path, body: { until, reason: 'never' } },
    }
  },
  'POST /v1/attention/{id}/resolve': async () => {
    const path = `/v1/attention/${await attention()}/resolve`
    return {
      path,
      body: { reason: 'talked to them' },
      between: attention,
      read: ({ id }) => `/v1/attention/${id}`,
      other: { path, body: { reason: 'did not' } },
    }
  },
  'POST /v1/events/{id}/confirm': () => settled('confirm'),
  'POST /v1/events/{id}/cancel': () => settled('cancel'),
  'PUT /v1/settings': async () => ({
    path: '/v1/settings',
    body: { color: 'red' },
    between: () => ok(still.put('/v1/settings', { color: 'blue' })),
    read: () => '/v1/settings',
    other: { path: '/v1/settings', body: { color: 'green' } },
    refused: {
      path: '/v1/settings',
      body: Object.fromEntries(Array.from({ length: 201 }, (_, at) => [`key_${at}`, at])),
    },
  }),
  'POST /v1/loyalty/accounts/{id}/identities': async () => {
    const { account, body } = await registered()
    return {
      path: `${V1}/accounts/${account}/identities`,
      body,
      between: ({ id }) => ok(still.delete(`${V1}/identities/${id}`)),
      read: ({ id }) => `${V1}/identities/${id}`,
      other: { path: `${V1}/accounts/${account}/identities`, body: { ...body, label: 'CRM' } },
    }
  },
  'DELETE /v1/loyalty/identities/{id}': async () => {
    const { account, body } = await registered()
    const path = `${V1}/accounts/${account}/identities`
    const { id } = await post(path, body)
    const { id: other } = await post(path, { ...body, external_id: newId('op') })
    return {
      path: `${V1}/identities/${id}`,
      between: () => post(path, body),
      read: () => path,
      isReport: true,
      other: { path: `${V1}/identities/${other}` },
    }
  },
}

/** The first answer as a repeat shows it: what is kept as a hash is shown once. */
function withoutShown({ shownOnce, hiddenOnce }: Case, body: Record<string, unknown>) {
  const nothing = { token: null, url: null, sent_to: null, expires_at: null }
  if (hiddenOnce === 'token') return { ...body, ...nothing }
  if (hiddenOnce !== undefined) return { ...body, [hiddenOnce]: nothing }
  return shownOnce === true ? { ...body, secret: null } : body
}

/** They are sent by these verbs for the size of what is asked, and write nothing. */
const READS = [
  'POST /v1/loyalty/quotes',
  'POST /v1/loyalty/earning_previews',
  'POST /v1/reactors/{id}/dry_run',
  'POST /v1/members/lookup',
  'POST /v1/loyalty/accounts/{id}/export',
]

const writes = ENDPOINTS.filter(
  ({ method, key }) => method !== 'GET' && (key === 'secret' || key === 'publishable'),
)
const nameOf = ({ method, path }: { method: string; path: string }) => `${method} ${underV1(path)}`

it('every route that writes is tried here', () => {
  expect([...Object.keys(CASES), ...READS].sort()).toEqual([...new Set(writes.map(nameOf))].sort())
})

const ID = /\b([a-z]{2,4})_[0-9A-Za-z]{20,}/

/** The same request of an object that there is not. */
function ofNobody({ path, body }: Send): Send {
  const unknown = path.replace(ID, (_id, prefix: 'op') => newId(prefix))
  expect(unknown).not.toBe(path)
  return { path: unknown, body }
}

describe.each(Object.entries(CASES))('%s', (route, prepare) => {
  const aliases = writes.filter((one) => nameOf(one) === route)
  const atRoot = aliases.some(({ path }) => !path.startsWith('/v1/'))
  const sender = ({ shop = still }: Case) => {
    const key = newId('op')
    return ({ path, body, text }: Send) => {
      const verb = route.split(' ')[0]?.toLowerCase() as 'post' | 'put' | 'patch' | 'delete'
      const test = request(shop.app)[verb](path)
      test.set('X-Api-Key', shop.keys.secretKey).set('Idempotency-Key', key)
      if (text !== undefined) return test.type('application/x-ndjson').send(text)
      return verb === 'delete' ? test : test.send(body ?? {})
    }
  }
  const isFirst = ({ status, headers, text }: request.Response) =>
    expect([status < 300, headers['idempotent-replayed']], text).toEqual([true, undefined])
  const isRepeat = ({ status, headers, text }: request.Response) =>
    expect([status, headers['idempotent-replayed']], text).toEqual([200, 'true'])

  it('sent again with its key changes nothing and answers with what is there now; another request is refused', async () => {
    const one = await prepare()
    const { shop = still, path, body, text, between, read, isReport, other } = one
    const send = sender(one)
    const first = await send({ path, body, text })
    isFirst(first)
    await between(first.body)
    const before = await ok(shop.get(read(first.body)))

    const again = await send({ path: atRoot ? path.replace(/^\/v1/, '') : path, body, text })
    isRepeat(again)
    expect(await ok(shop.get(read(first.body)))).toEqual(before)
    if (isReport !== true) {
      const shown = Object.entries(before).filter(([field]) => field in again.body)
      expect(again.body).toMatchObject(Object.fromEntries(shown))
    }

    if (other === undefined) return
    const reused = await send(other)
    expect([reused.status, reused.body.error?.code]).toEqual([409, 'idempotency_key_reused'])
    expect(await ok(shop.get(read(first.body)))).toEqual(before)
  })

  it('sent twice at once with one key is written once', async () => {
    const one = await prepare()
    const send = sender(one)
    const answers = await Promise.all([send(one), send(one)])
    const [first, second] = answers.sort(
      (a, b) => b.status - a.status || (a.headers['idempotent-replayed'] ? 1 : -1),
    )
    if (first === undefined || second === undefined) throw new Error('no answers')
    isFirst(first)
    isRepeat(second)
    expect(second.body).toEqual(withoutShown(one, first.body))
  })

  it('refused, leaves its key unused', async () => {
    const one = await prepare()
    const send = sender(one)
    const refused = await send(one.refused ?? ofNobody(one))
    expect([400, 404, 409, 422]).toContain(refused.status)
    isFirst(await send(one))
  })
})
