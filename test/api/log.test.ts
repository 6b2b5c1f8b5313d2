import request from 'supertest'
import { describe, expect, it } from 'vitest'
import { createLog } from '../../process/log.ts'
import { appOfThings, PUBLISHABLE, SECRET } from './things.ts'

const parsed = (lines: readonly string[]) => lines.map((line) => JSON.parse(line))

describe('the log', () => {
  it('has one line a request with its id, route, status, workspace and key id', async () => {
    const { app, lines } = appOfThings()
    const { headers } = await request(app)
      .post('/v1/things?x=1')
      .set('X-Api-Key', SECRET)
      .send({ account: 'loy_1' })
    expect(parsed(lines)).toMatchObject([
      {
        level: 30,
        process: 'api',
        req: { id: headers['request-id'], method: 'POST', path: '/v1/things' },
        res: {
          status: 400,
          route: '/v1/things',
          code: 'parameter_unknown',
          workspace: 'ws_1',
          key: 'key_secret',
        },
        responseTime: expect.any(Number),
      },
    ])
  })

  it('never holds a key, a body, a query or a header, however the request went wrong', async () => {
    const { app, lines } = appOfThings({
      failures: {
        drizzle: () =>
          new Error(
            'Failed query: insert into "redemption" values ($1, $2)\nparams: Storgata 12,Mira Olsen',
            {
              cause: Object.assign(new Error('duplicate key'), {
                detail: 'Key (name)=(Mira Olsen) exists',
                code: '23505',
              }),
            },
          ),
        key: () => new Error(`no such key ${SECRET}, no secret whsec_c2VjcmV0c2VjcmV0`),
      },
    })
    const send = (test: request.Test) =>
      test.set('X-Api-Key', SECRET).set('Cookie', 'session=Mira Olsen')
    await send(request(app).post('/v1/things')).send({ account: 'loy_1', name: 'Mira Olsen' })
    await send(request(app).post('/v1/things')).type('json').send('{"name":"Mira Olsen",,}')
    await send(request(app).post('/v1/things')).send({ 'Mira Olsen': 1 })
    await send(request(app).get('/v1/things?account=Mira%20Olsen'))
    await send(request(app).get('/v1/failures/drizzle'))
    await send(request(app).get('/v1/failures/key'))
    await request(app)
      .get(`/v1/failures/${PUBLISHABLE}?key=${SECRET}`)
      .set('Authorization', `Bearer ${SECRET}`)
    const log = lines.join('')
    expect(lines.length).toBe(7)
    expect(log).not.toMatch(/Mira|Storgata|0123456789abcdef|c2VjcmV0/)
    expect(log).toContain('Failed query: insert into \\"redemption\\"')
  })

  it('takes secrets out of objects that somebody logs', () => {
    const lines: string[] = []
    const log = createLog({ level: 'info', name: 'api' }, { write: (line) => lines.push(line) })
    log.info({
      apiKey: SECRET,
      headers: { 'x-api-key': SECRET, authorization: SECRET },
      config: { db: { password: SECRET } },
    })
    expect(lines.join('')).not.toContain(SECRET)
    expect(lines.join('').match(/\[redacted\]/g)?.length).toBe(4)
  })

  it('keeps health probes and metrics below info', async () => {
    const { app, lines } = appOfThings()
    await request(app).get('/health/live')
    await request(app).get('/metrics')
    expect(parsed(lines).map(({ level }) => level)).toEqual([20, 20])
  })
})
