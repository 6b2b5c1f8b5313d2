import { createHmac } from 'node:crypto'
import request from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Endpoint } from '../../api/server/declaration.ts'
import { ENDPOINTS } from '../../api/server/endpoints.ts'
import { person } from './people.ts'
import { openShop, type Shop } from './shop.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop({ worker: false })
})
afterAll(() => shop.close())

const writes = ENDPOINTS.filter(
  ({ method, raw, stream }) => method !== 'GET' && !raw && stream !== true,
)

const PREFIXES: Readonly<Record<string, string>> = {
  accounts: 'loy',
  rewards: 'rwd',
  redemptions: 'rdm',
  code_pools: 'cpl',
  imports: 'imp',
  batch_reversals: 'brv',
  programs: 'prog',
  transactions: 'ptx',
  payments: 'pay',
  earning_rules: 'erl',
  webhook_endpoints: 'we',
  reactors: 'rct',
  identities: 'idn',
  api_keys: 'key',
  team_members: 'usr',
  memberships: 'mem',
  sessions: 'ses',
  attention: 'att',
  approvals: 'apr',
}

const send = async ({ method, path, key }: Endpoint, body: string | undefined) => {
  const verb = method.toLowerCase() as 'post' | 'patch' | 'put' | 'delete'
  const named = path.replace(/(\w+)\/\{\w+\}/, (_, noun: string) => {
    const prefix = PREFIXES[noun]
    return `${noun}/${prefix === undefined ? 'nothing' : `${prefix}_nothing`}`
  })
  const sent =
    key === 'session' // a person of its own: some of these end the session
      ? (await person(shop, 'owner')).send(verb, named)
      : request(shop.app)[verb](named).set('X-Api-Key', shop.keys.secretKey)
  return await (body === undefined ? sent : sent.set('Content-Type', 'application/json').send(body))
}

describe.each(writes.map((one) => [`${one.method} ${one.path}`, one] as const))(
  '%s',
  (_name, endpoint) => {
    it.each(['null', '[]', '5', '"x"', 'true', '[{}]'])(
      'refuses the body %s, which is no object',
      async (body) => {
        const { status, body: answer } = await send(endpoint, body)
        expect([status, answer.error?.code], JSON.stringify(answer)).toEqual([
          400,
          'parameter_invalid',
        ])
      },
    )

    it.each(['__proto__', 'metadata.__proto__', 'payload.deep.__proto__'])(
      'refuses %s by its name',
      async (param) => {
        const names = param.split('.').toReversed()
        const body = names.reduce((inner, name) => `{"${name}":${inner}}`, '"x"')
        const { status, body: answer } = await send(endpoint, body)
        expect([status, answer.error?.code, answer.error?.param]).toEqual([
          400,
          'parameter_unknown',
          param,
        ])
      },
    )

    it('takes no body at all as one without fields', async () => {
      const [none, empty] = [await send(endpoint, undefined), await send(endpoint, '{}')]
      expect([none.status, none.body.error?.code]).toEqual([empty.status, empty.body.error?.code])
      expect(none.status).toBeLessThan(500)
    })
  },
)

it('a signed event that is no UTF-8 is refused, and nothing of it is kept', async () => {
  const body = Buffer.concat([
    Buffer.from('{"id":"evt_1","type":"payment.completed","created":1,"data":{"id":"pay_'),
    Buffer.from('ff', 'hex'),
    Buffer.from('","amount":1,"currency":"eur"}}'),
  ])
  const at = Math.floor(Date.now() / 1_000)
  const digest = createHmac('sha256', shop.keys.paymentSecret).update(`${at}.`).update(body)
  const sent = request(shop.app)
    .post('/v1/webhooks/payments/sandbox')
    .set('Content-Type', 'application/json')
    .set('x-vinr-signature', `t=${at},v1=${digest.digest('hex')}`)
  sent.write(body)
  const { status, body: answer } = await sent
  expect([status, answer.error?.code]).toEqual([400, 'invalid_json'])
  expect((await shop.get('/v1/payments')).body.data).toEqual([])
})

it('a body nested as deep as its size allows is looked through, and refused in time', async () => {
  const deep = `{"payload":${'['.repeat(45_000)}${']'.repeat(45_000)}}`
  const { status } = await shop.post('/v1/payments').type('json').send(deep)
  expect(status).toBe(400)
})

it('a signed event of a provider is taken, __proto__ or not', async () => {
  const id = 'evt_proto'
  const event = JSON.parse(
    `{"id":"${id}","type":"payment.created","data":{"id":"pay_proto","amount":1,"currency":"eur","__proto__":"x"}}`,
  )
  const sent = await shop.webhook({ ...event, created: Math.floor(Date.now() / 1_000) })
  expect([sent.status, sent.body]).toEqual([200, { received: true, duplicate: false }])
})
