import { Client, Connection } from '@temporalio/client'
import pg from 'pg'
import request from 'supertest'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { endpointOf } from '../../api/server/endpoint.ts'
import { ERRORS } from '../../api/server/errors.ts'
import { ERROR_CODES, Refused } from '../../domain/refusal.ts'
import { isUnavailable } from '../../domain/unavailable.ts'
import { appOfThings, SECRET } from './things.ts'

const NOBODY_LISTENS = 1 // a port that needs root and that nothing uses

const failing = (failures: Readonly<Record<string, () => unknown>>) => {
  const { app, lines } = appOfThings({ failures })
  const get = (name: string) => request(app).get(`/v1/failures/${name}`).set('X-Api-Key', SECRET)
  return { get, lines }
}

async function thrownBy(run: () => Promise<unknown>): Promise<unknown> {
  try {
    await run()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

describe('a refusal', () => {
  const refused = Object.fromEntries(
    ERROR_CODES.map((code) => [code, () => new Refused({ code, message: `said ${code}` })]),
  )

  it.each(ERROR_CODES)('%s answers with its row of the table', async (code) => {
    const { status, body, headers } = await failing(refused).get(code)
    expect(status).toBe(ERRORS[code].status)
    expect(body.error).toMatchObject({ type: ERRORS[code].type, code, message: `said ${code}` })
    expect(body.error.doc_url).toMatch(new RegExp(`/docs/errors#${code}$`))
    expect(headers['retry-after'] !== undefined).toBe(status === 429 || status === 503)
  })

  it('carries its own fields inside error, which cannot displace the fixed ones', async () => {
    const { get } = failing({
      poor: () =>
        new Refused({
          code: 'insufficient_points',
          message: 'Too few points.',
          param: 'account',
          resource: 'loy_1',
          fields: { required: 500, available: 120, missing: 380, type: 'mine', request_id: 'mine' },
        }),
    })
    const { body, headers } = await get('poor')
    expect(body).toEqual({
      error: {
        type: 'unprocessable_error',
        code: 'insufficient_points',
        message: 'Too few points.',
        param: 'account',
        doc_url: expect.any(String),
        request_id: headers['request-id'],
        resource: 'loy_1',
        required: 500,
        available: 120,
        missing: 380,
      },
    })
  })
})

describe('a dependency out of reach', () => {
  it('answers 503 with Retry-After where Postgres refuses the connection', async () => {
    const pool = new pg.Pool({ host: 'localhost', port: NOBODY_LISTENS })
    const error = await thrownBy(() => pool.query('select 1'))
    const { status, body, headers } = await failing({ pg: () => error }).get('pg')
    expect([status, body.error.code]).toEqual([503, 'temporarily_unavailable'])
    expect(headers['retry-after']).toBe('1')
    expect(JSON.stringify(body)).not.toMatch(/ECONNREFUSED|localhost:1\b/)
  })

  it('answers 503 where Temporal does not answer in time', async () => {
    const connection = Connection.lazy({ address: `127.0.0.1:${NOBODY_LISTENS}` })
    const client = new Client({ connection })
    const error = await thrownBy(() =>
      connection.withDeadline(Date.now() + 250, () =>
        client.workflow.start('w', { workflowId: 'rdm_1', taskQueue: 'q' }),
      ),
    )
    await connection.close()
    const { status, body } = await failing({ temporal: () => error }).get('temporal')
    expect([status, body.error.code]).toEqual([503, 'temporarily_unavailable'])
  })

  it.each([
    ['57P01', true], // admin_shutdown
    ['57P03', true], // cannot_connect_now
    ['08006', true], // connection_failure
    ['53300', true], // too_many_connections
    ['40P01', true], // deadlock_detected
    ['23505', false], // unique_violation
    ['42P01', false], // undefined_table
    ['22P02', false], // invalid_text_representation
  ])('is told from our own mistakes by the code of Postgres: %s is %s', (code, outage) => {
    const error = Object.assign(new Error('from the server'), { code })
    expect(isUnavailable(error)).toBe(outage)
    expect(isUnavailable(new Error('Failed query', { cause: error }))).toBe(outage)
    expect(isUnavailable(new AggregateError([new Error('one'), error]))).toBe(outage)
  })

  it.each([
    [14, true], // UNAVAILABLE
    [4, true], // DEADLINE_EXCEEDED
    [3, false], // INVALID_ARGUMENT
    [12, false], // UNIMPLEMENTED
  ])('is told by the code of gRPC: %i is %s', (code, outage) => {
    const cause = Object.assign(new Error('grpc'), { code, details: '', metadata: {} })
    expect(isUnavailable(new Error('Failed to start Workflow', { cause }))).toBe(outage)
  })
})

describe('a write that Postgres rolls back for another’s sake', () => {
  const conflict = (code: string, where?: string) =>
    Object.assign(new Error('from the server'), { code, where })
  const wait = 'SQL function "idempotency_claim"'

  it.each([
    ['40001', undefined, 2, 200, undefined, 3],
    ['40P01', undefined, 3, 200, undefined, 4],
    ['40001', undefined, 4, 503, 'temporarily_unavailable', 4],
    ['55P03', undefined, 1, 503, 'temporarily_unavailable', 1],
    ['55P03', wait, 1, 409, 'idempotency_key_in_use', 1],
    ['23505', undefined, 1, 500, 'internal_error', 1],
  ] as const)(
    'by %s (in %s), %i times, is handled again whole, and answers %i %s after %i tries',
    async (code, where, failures, status, answered, tries) => {
      let tried = 0
      const write = endpointOf<unknown>()({
        method: 'POST',
        path: '/v1/writes',
        scope: 'transactions:write',
        summary: 'Write',
        tags: ['things'],
        key: 'secret',
        reply: z.object({ tried: z.number() }),
        errors: [],
        handle: async () => {
          tried++
          if (tried <= failures) throw new Error('Failed query', { cause: conflict(code, where) })
          return { status: 'ok', object: { tried } }
        },
      })
      const { app } = appOfThings({ more: [write] })
      const answer = await request(app).post('/v1/writes').set('X-Api-Key', SECRET)
      expect([answer.status, answer.body.error?.code, tried]).toEqual([status, answered, tries])
    },
  )
})

describe('a bug', () => {
  const hidden = 'column "shoe_size" of Mira Olsen'

  it('answers 500 without a word about it, and is logged once with its stack', async () => {
    const { get, lines } = failing({ bug: () => new TypeError(hidden) })
    const { status, body, headers } = await get('bug')
    expect([status, body.error.code, body.error.type]).toEqual([500, 'internal_error', 'api_error'])
    expect(JSON.stringify(body)).not.toContain('shoe_size')
    const logged = lines
      .filter((line) => line.includes('shoe_size'))
      .map((line) => JSON.parse(line))
    expect(logged.length).toBe(1)
    expect(logged[0]).toMatchObject({
      level: 50,
      req: { id: headers['request-id'] },
      res: { status: 500, route: '/v1/failures/{name}', code: 'internal_error' },
      err: { type: 'TypeError', stack: expect.stringContaining('things.ts') },
    })
  })

  it('answers 500 whatever was thrown', async () => {
    const { get } = failing({ text: () => 'just a text', object: () => ({ status: 404 }) })
    for (const name of ['text', 'object']) expect((await get(name)).status).toBe(500)
  })
})
