import request from 'supertest'
import { describe, expect, it } from 'vitest'
import { NotReady } from '../../api/server/health.ts'
import { appOfThings, SECRET } from './things.ts'

const fine = async () => undefined

describe('/health/live', () => {
  it('is ok whatever the dependencies do', async () => {
    const { app } = appOfThings({ checks: { postgres: () => Promise.reject(new Error('gone')) } })
    const { status, body } = await request(app).get('/health/live')
    expect([status, body]).toEqual([200, { status: 'ok' }])
  })
})

describe('/health/ready', () => {
  const ready = async (options: Parameters<typeof appOfThings>[0]) =>
    request(appOfThings(options).app).get('/health/ready')

  it('is 200 where every dependency is usable, each by its name', async () => {
    const { status, body } = await ready({ checks: { postgres: fine, temporal: fine } })
    expect(status).toBe(200)
    const ok = { status: 'ok', duration_ms: expect.any(Number) }
    expect(body).toEqual({ status: 'ok', checks: { postgres: ok, temporal: ok } })
  })

  it('is 503 where one is not, saying which and why in words that give nothing away', async () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED db.internal:5432'), {
      code: 'ECONNREFUSED',
    })
    const { status, body } = await ready({
      checks: {
        postgres: () => Promise.reject(refused),
        temporal: fine,
        migrations: () => Promise.reject(new NotReady('2 migrations are not applied')),
      },
    })
    expect(status).toBe(503)
    expect(body).toMatchObject({
      status: 'unavailable',
      checks: {
        postgres: { status: 'failed', reason: 'ECONNREFUSED' },
        temporal: { status: 'ok' },
        migrations: { status: 'failed', reason: '2 migrations are not applied' },
      },
    })
    expect(JSON.stringify(body)).not.toContain('db.internal')
  })

  it('gives a dependency two seconds, and asks it once for all who wait', async () => {
    let asked = 0
    const { app } = appOfThings({
      checks: {
        temporal: () => {
          asked++
          return new Promise(() => {})
        },
      },
    })
    const answers = await Promise.all([1, 2, 3].map(() => request(app).get('/health/ready')))
    for (const { status, body } of answers) {
      expect([status, body.checks.temporal.reason]).toEqual([503, 'timed out'])
      expect(body.checks.temporal.duration_ms).toBeLessThan(3_000)
    }
    expect(asked).toBe(1)
  })

  it('is 200 and degraded where Temporal is away or rows wait for long, with how many and for how long', async () => {
    const { status, body } = await ready({
      checks: { postgres: fine },
      degradedBy: {
        temporal: () => Promise.reject(Object.assign(new Error('no'), { code: 14 })),
        outbox: () => Promise.reject(new NotReady('late', { waiting: 3, oldest_seconds: 61 })),
      },
    })
    expect([status, body.status]).toEqual([200, 'degraded'])
    expect(body.checks).toMatchObject({
      temporal: { status: 'failed', reason: '14' },
      outbox: { status: 'failed', reason: 'late', waiting: 3, oldest_seconds: 61 },
    })
    const worse = await ready({
      checks: { postgres: () => Promise.reject(new Error('gone')) },
      degradedBy: { outbox: fine },
    })
    expect([worse.status, worse.body.status]).toEqual([503, 'unavailable'])
  })

  it('is 503 while the process drains', async () => {
    const { status, body } = await ready({ checks: { postgres: fine }, draining: () => true })
    expect([status, body.status]).toEqual([503, 'draining'])
  })
})

describe('/metrics', () => {
  it('times requests by route template, method and status, never by id', async () => {
    const { app } = appOfThings()
    await request(app).patch('/v1/things/loy_secretly').set('X-Api-Key', SECRET).send({})
    await request(app).get('/v1/nothing/loy_secretly')
    const { text } = await request(app).get('/metrics')
    expect(text).toContain(
      'http_request_duration_seconds_count{method="PATCH",route="/v1/things/{id}",status="200"} 1',
    )
    expect(text).toContain(
      'http_request_duration_seconds_count{method="GET",route="unmatched",status="404"} 1',
    )
    expect(text).not.toContain('loy_secretly')
  })
})
