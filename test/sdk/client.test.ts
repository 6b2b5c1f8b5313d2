import { createHmac } from 'node:crypto'
import { getEventListeners } from 'node:events'
import { Vinr, VinrConnectionError, VinrNotFoundError, VinrSignatureError } from '@vinr/sdk'
import { afterAll, beforeAll, expect, test } from 'vitest'
import sdkPackage from '../../sdk/package.json' with { type: 'json' }
import { userAgent } from '../../sdk/src/user-agent.ts'
import { type ShopServer, serve } from './served.ts'

let shop: ShopServer
let vinr: Vinr

beforeAll(async () => {
  shop = await serve()
  vinr = new Vinr({ secretKey: shop.keys.secretKey })
})
afterAll(() => shop.close())

test('a POST whose answer was lost is sent again with its key, and happens once', async () => {
  const keys: unknown[] = []
  let lost = 1
  const flaky = new Vinr({
    secretKey: shop.keys.secretKey,
    fetch: async (url, init) => {
      const response = await fetch(url, init)
      keys.push(new Headers(init.headers).get('idempotency-key'))
      if (lost-- > 0) throw new TypeError('socket hang up')
      return response
    },
  })
  const before = await vinr.loyalty.accounts.retrieve('loy_abc123')
  const award = { account: 'loy_abc123', amount: 10, reason: 'once' }
  const made = await flaky.loyalty.transactions.create(award)
  expect(keys).toHaveLength(2)
  expect(keys[0]).toBe(keys[1])
  expect(made).toHaveProperty('lastResponse.replayed', true)
  const after = await vinr.loyalty.accounts.retrieve('loy_abc123')
  expect(after.balance - before.balance).toBe(10)
})

test('503 and 429 are tried again, as often as asked; 4xx never', async () => {
  const answers = [503, 429, 200]
  let calls = 0
  const of = (maxRetries: number) =>
    new Vinr({
      secretKey: 'sk_test_x',
      maxRetries,
      fetch: async () => {
        calls++
        const status = answers.shift() ?? 200
        return new Response('{"id":"loy_1"}', { status, headers: { 'retry-after': '0' } })
      },
    })
  expect(await of(2).loyalty.accounts.retrieve('loy_1')).toEqual({ id: 'loy_1' })
  expect(calls).toBe(3)
  answers.push(503)
  await expect(of(0).loyalty.accounts.retrieve('loy_1')).rejects.toMatchObject({ status: 503 })
  answers.push(404)
  await expect(of(5).loyalty.accounts.retrieve('loy_1')).rejects.toMatchObject({ status: 404 })
  expect(calls).toBe(5)
})

test('an error carries its code, fields and request id', async () => {
  const missing = vinr.loyalty.accounts.retrieve('loy_none')
  await expect(missing).rejects.toThrow(VinrNotFoundError)
  await expect(missing).rejects.toMatchObject({
    status: 404,
    code: 'resource_missing',
    type: 'not_found_error',
    requestId: expect.stringMatching(/^req_/),
  })
  await expect(
    vinr.loyalty.transactions.create({ account: 'loy_9f2k', amount: -1_000_000, reason: 'x' }),
  ).rejects.toMatchObject({
    code: 'insufficient_points',
    required: 1_000_000,
    available: 5_000,
    missing: 995_000,
  })
  await expect(
    // @ts-expect-error the reason is required
    vinr.loyalty.transactions.create({ account: 'loy_9f2k', amount: 1 }),
  ).rejects.toMatchObject({ code: 'parameter_missing', param: 'reason' })
})

test('a server that does not answer is a connection error', async () => {
  const away = new Vinr({ secretKey: 'sk_test_x', baseUrl: 'http://127.0.0.1:9', maxRetries: 0 })
  await expect(away.payments.list()).rejects.toThrow(VinrConnectionError)
  const slow = new Vinr({
    secretKey: 'sk_test_x',
    maxRetries: 0,
    fetch: (_, { signal }) =>
      new Promise((_resolve, reject) =>
        signal?.addEventListener('abort', () => reject(new Error('aborted'))),
      ),
  })
  await expect(slow.payments.retrieve('pay_1', { timeoutMs: 20 })).rejects.toThrow(
    'No answer within 20 ms.',
  )
})

test('a hundred requests of one signal leave no listener on it, retried or not', async () => {
  const { signal } = new AbortController()
  let calls = 0
  let most = 0
  const client = new Vinr({
    secretKey: 'sk_test_x',
    fetch: async () => {
      most = Math.max(most, getEventListeners(signal, 'abort').length)
      const status = calls++ % 2 === 0 ? 503 : 200
      return new Response('{"id":"loy_1"}', { status, headers: { 'retry-after': '0' } })
    },
  })
  for (let n = 0; n < 100; n++) await client.loyalty.accounts.retrieve('loy_1', { signal })
  expect([calls, most]).toEqual([200, 1])
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test('a call whose signal is aborted while it waits for its next try ends then', async () => {
  const controller = new AbortController()
  const client = new Vinr({
    secretKey: 'sk_test_x',
    fetch: async () => {
      setImmediate(() => controller.abort())
      return new Response('{}', { status: 503, headers: { 'retry-after': '30' } })
    },
  })
  const { signal } = controller
  await expect(client.loyalty.accounts.retrieve('loy_1', { signal })).rejects.toThrow()
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test('the client names itself, its version and its platform, and leaves a browser to name itself', async () => {
  const agents: (string | null)[] = []
  const client = new Vinr({
    secretKey: 'sk_test_x',
    fetch: async (_, { headers }) => {
      agents.push(new Headers(headers).get('user-agent'))
      return new Response('{"id":"loy_1"}')
    },
  })
  await client.loyalty.accounts.retrieve('loy_1')
  const { version } = sdkPackage
  const { versions, platform, arch } = process
  expect(agents).toEqual([`vinr-node/${version} (node ${versions.node}; ${platform} ${arch})`])
  expect(userAgent({ document: {}, process })).toBeUndefined()
  expect(userAgent({ process: { versions: {} } })).toBeUndefined() // as bundlers fill it in
  expect(userAgent({})).toBeUndefined()
  const deno = { versions: { node: '20.0.0', deno: '2.1.0' }, platform: 'linux', arch: 'x64' }
  expect(userAgent({ process: deno })).toBe(`vinr-node/${version} (deno 2.1.0; linux x64)`)
})

test('for await goes through all pages; await gives the first', async () => {
  const { id } = await vinr.loyalty.accounts.create({})
  for (let n = 1; n <= 5; n++) {
    await vinr.loyalty.transactions.create({ account: id, amount: n, reason: 'x' })
  }
  const amounts: number[] = []
  for await (const row of vinr.loyalty.transactions.list({ account: id, limit: 2 })) {
    amounts.push(row.amount)
  }
  expect(amounts).toEqual([5, 4, 3, 2, 1])
  const page = await vinr.loyalty.transactions.list({ account: id, limit: 2 })
  expect([page.data.length, page.has_more]).toEqual([2, true])
})

const signed = (body: string, secret: string, at = Math.floor(Date.now() / 1_000)) =>
  `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`

test('verify takes what the secret signed, and nothing else', () => {
  const { webhooks } = new Vinr({ secretKey: 'sk_test_x', webhookSecret: 'whsec_one' })
  const body = '{"id":"evt_1","type":"payment.completed","data":{"customer":"Zoë ☃"}}'
  const good = signed(body, 'whsec_one')
  expect(webhooks.verify(body, good)).toEqual(JSON.parse(body))
  expect(webhooks.verify(new TextEncoder().encode(body), good)).toEqual(JSON.parse(body))
  expect(webhooks.verify(body, signed(body, 'whsec_two'), 'whsec_two')).toEqual(JSON.parse(body))
  expect(webhooks.verify(body, `${good},v1=${'0'.repeat(64)}`)).toEqual(JSON.parse(body))
  const old = Math.floor(Date.now() / 1_000) - 301
  const wrong: [string, string][] = [
    [`${body} `, good],
    [body, signed(body, 'whsec_two')],
    [body, signed(body, 'whsec_one', old)],
    [body, good.replace(/t=\d+/, `t=${old}`)],
    [body, ''],
    [body, 'v1=abc'],
  ]
  for (const [payload, signature] of wrong) {
    expect(() => webhooks.verify(payload, signature)).toThrow(VinrSignatureError)
  }
})

test('endpoints by the client: made, tested, read back, rolled and deleted', async () => {
  const made = await vinr.webhookEndpoints.create({ url: 'http://127.0.0.1:9/' })
  const sent = await vinr.webhookEndpoints.test(made.id)
  expect(sent.type).toBe('webhook_endpoint.test')
  expect((await vinr.events.retrieve(sent.id)).id).toBe(sent.id)
  const { data } = await vinr.webhookEndpoints.deliveries(made.id)
  expect(data[0]?.event).toBe(sent.id)
  expect((await vinr.webhookEndpoints.rollSecret(made.id)).secret).not.toBe(made.secret)
  expect(await vinr.webhookEndpoints.delete(made.id)).toMatchObject({ deleted: true })
})

test('with a session it sends no key, but the workspace, and its token with each write', async () => {
  const sent: RequestInit[] = []
  const page = new Vinr({
    session: { workspace: 'ws_one' },
    baseUrl: 'http://api',
    fetch: async (_url, init) => {
      sent.push(init)
      return new Response('{"csrf_token": "of-the-session", "data": [], "has_more": false}')
    },
  })
  await page.sessions.current()
  await page.loyalty.accounts.create({})
  page.useWorkspace('ws_two')
  await page.loyalty.accounts.list()
  const headers = sent.map((init) => new Headers(init.headers))
  expect(sent.map(({ credentials }) => credentials)).toEqual(Array(3).fill('same-origin'))
  expect(headers.map((one) => one.get('x-api-key'))).toEqual([null, null, null])
  expect(headers.map((one) => one.get('vinr-workspace'))).toEqual(['ws_one', 'ws_one', 'ws_two'])
  expect(headers.map((one) => one.get('vinr-csrf-token'))).toEqual([null, 'of-the-session', null])
  expect(() => vinr.useWorkspace('ws_one')).toThrow('A key has a workspace of its own.')
  expect(() => new Vinr({})).toThrow('needs a secret key')
})
