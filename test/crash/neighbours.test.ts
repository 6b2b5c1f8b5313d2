import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPool } from '../../db/pool.ts'
import { seedWorkspace } from '../../dev/demo.ts'
import { newId } from '../../domain/ids.ts'
import { Processes } from '../support/processes.ts'

const LOOKS = 60
const AT_ONCE = 12 // of whoever presses
const MOST = 10 // times as slow as beside a neighbour who reads as busily, at the 95th percentile: the slowest of 60 is the machine’s
const TRIES = 3
const LEAST_MS = 50 // below this a ratio says more of the machine than of the neighbour

let all: Processes
let victimKey: string

beforeAll(async () => {
  all = await Processes.start()
  const pool = createPool({ url: all.url('engagement_app'), max: 2 })
  victimKey = (await seedWorkspace(pool, newId('ws'), 'The other shop')).secretKey
  await pool.end()
})
afterAll(() => all.stop())

type RequestTimes = {
  method?: string
  body?: string
  key?: string | undefined
  headers?: Record<string, string>
}

const send = (path: string, { method, body, key = all.apiKey, headers }: RequestTimes = {}) =>
  fetch(`http://127.0.0.1:${all.ports.api}${path}`, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      'Content-Type': 'application/json',
      ...(key !== '' && { 'X-Api-Key': key }),
      ...headers,
    },
    ...(body !== undefined && { body }),
    signal: AbortSignal.timeout(60_000),
  }).then(async (response) => ({ status: response.status, text: await response.text() }))

const post = (path: string, body: object) => send(path, { body: JSON.stringify(body) })

/** How long the victim's requests take at the 95th percentile while `press` goes on, in milliseconds. */
async function p95While(press: () => Promise<unknown>, atOnce = AT_ONCE): Promise<number> {
  let over = false
  const pressing = Array.from({ length: atOnce }, async () => {
    // what becomes of it is its sender's own affair; one that fails at once is not sent in a tight loop
    while (!over) await press().catch(() => new Promise(setImmediate))
  })
  try {
    return await p95OfVictim()
  } finally {
    over = true
    await Promise.all(pressing)
  }
}

async function p95OfVictim(): Promise<number> {
  const times: number[] = []
  for (let look = 0; look < LOOKS; look++) {
    const began = performance.now()
    const { status } =
      look % 2 === 0
        ? await send('/v1/loyalty/accounts/loy_9f2k', { key: victimKey })
        : await send('/v1/loyalty/transactions', {
            key: victimKey,
            body: JSON.stringify({ account: 'loy_9f2k', amount: 1, reason: 'test' }),
          })
    times.push(performance.now() - began)
    expect([200, 201]).toContain(status)
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.95)] ?? 0
}

/** What one tenant, or nobody's, can send as often as it likes; `prepare` once before. */
type Way = {
  name: string
  prepare?: () => Promise<() => Promise<unknown>>
  press: () => Promise<unknown>
  atOnce?: number
  most?: number
}

const doubling = (levels: number) => ({
  $defs: Object.fromEntries(
    Array.from({ length: levels }, (_, n) => [
      `l${n}`,
      n === levels - 1
        ? { type: 'object' }
        : { allOf: [{ $ref: `#/$defs/l${n + 1}` }, { $ref: `#/$defs/l${n + 1}` }] },
    ]),
  ),
  $ref: '#/$defs/l0',
})

let types = 0
const defineType = async (schema: object) => {
  const name = `PRESS_${++types}`
  const { status } = await post('/v1/event_types', { name, schema })
  return { name, status }
}
const report = (type: string, payload: object) =>
  post('/v1/events', { type, user: 'loy_9f2k', payload })

const WAYS: Way[] = [
  {
    name: 'schemas that double, defined and used',
    press: async () => {
      const { name, status } = await defineType(doubling(20))
      if (status === 201) await report(name, {})
    },
  },
  {
    name: 'the largest schema that is taken, used',
    press: async () => {
      const { name, status } = await defineType(doubling(9))
      if (status === 201) await report(name, {})
    },
  },
  {
    name: 'patterns with many stars',
    press: async () => {
      const { name, status } = await defineType({
        type: 'object',
        properties: { text: { type: 'string', pattern: '^(a?){22}.*.*.*.*x$' } },
      })
      if (status === 201) await report(name, { text: 'a'.repeat(256) })
    },
  },
  {
    name: 'reactors with many conditions over a list',
    prepare: async () => {
      const { name } = await defineType({ type: 'object' })
      const condition = '$.list[*].n == 1'
      for (let n = 0; n < 5; n++) {
        await post('/v1/reactors', {
          name: `R${n}`,
          trigger: name,
          conditions: Array.from({ length: 10 }, () => condition),
          reactions: [{ type: 'adjust_points', points: 1 }],
        })
      }
      const list = Array.from({ length: 4_000 }, () => ({ n: 0 }))
      return () => report(name, { list })
    },
    press: async () => undefined,
  },
  {
    name: 'a megabyte with a forged signature, without a key',
    press: () => {
      const at = Math.floor(Date.now() / 1_000)
      return send('/v1/webhooks/payments/sandbox', {
        key: '',
        body: 'x'.repeat(1_000_000),
        headers: { 'x-vinr-signature': `t=${at},v1=${'0'.repeat(64)}` },
      })
    },
  },
  {
    name: 'requests without a key',
    press: () => send('/v1/loyalty/accounts/loy_9f2k', { key: '' }),
  },
  {
    name: 'requests with keys made up',
    press: () =>
      send('/v1/loyalty/accounts/loy_9f2k', { key: newId('key').replace('key_', 'sk_test_') }),
  },
  {
    name: 'many of one account that is locked',
    prepare: async () => {
      const held = await all.holdAccount('loy_8sd2k1')
      setTimeout(() => void held.release(), 8_000)
      return () =>
        post('/v1/loyalty/transactions', { account: 'loy_8sd2k1', amount: 1, reason: 'press' })
    },
    press: async () => undefined,
  },
  {
    name: 'files of rows to import, each refused for its last line',
    press: () =>
      send(`/v1/loyalty/imports?batch=press`, {
        body: `${'{"account":"loy_8sd2k1","amount":1}\n'.repeat(20_000)}{"account":"loy_8sd2k1"}`,
        headers: { 'Content-Type': 'application/x-ndjson' },
      }),
    atOnce: 2,
    most: 20, // a file’s rows take the same cores, as any work does
  },
  {
    name: 'bodies that never end, without a key',
    prepare: async () => {
      const sockets = Array.from({ length: 300 }, () => {
        const socket = connect(all.ports.api, '127.0.0.1').on('error', () => {})
        socket.write(
          'POST /v1/webhooks/payments/stripe HTTP/1.1\r\nHost: here\r\nContent-Length: 900000\r\n\r\n',
        )
        return socket
      })
      return async () => {
        for (const socket of sockets) if (socket.writable) socket.write('x')
        await new Promise(setImmediate)
      }
    },
    press: async () => undefined,
  },
  {
    name: 'changes of a program’s decimals',
    press: () =>
      send('/v1/loyalty/programs/prog_default', {
        method: 'PATCH',
        body: '{"currency":{"decimals":2}}',
      }),
  },
]

describe('one tenant is served as if the other were quiet, while the other sends', () => {
  it.each(WAYS)(
    '$name',
    async ({ prepare, press, atOnce, most = MOST }) => {
      const ratios: number[] = []
      // what else the machine does only ever adds to one; whoever is starved is so each time
      while (ratios.length < TRIES && !ratios.some((ratio) => ratio < most)) {
        const beside = await p95While(() => send('/v1/loyalty/accounts/loy_9f2k'))
        const under = await p95While((await prepare?.()) ?? press, atOnce)
        ratios.push(under / Math.max(beside, LEAST_MS))
      }
      expect(Math.min(...ratios)).toBeLessThan(most)
    },
    300_000,
  )
})
