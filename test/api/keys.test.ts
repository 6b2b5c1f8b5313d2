import request from 'supertest'
import { describe, expect, it } from 'vitest'
import { type ApiKey, callerCache } from '../../api/server/keys.ts'
import { appOfThings, EXPIRED, KEYS, PUBLISHABLE, REVOKED, SECRET } from './things.ts'

describe('an API key', () => {
  const { app } = appOfThings()
  const create = () => request(app).post('/v1/things')

  it('is taken from X-Api-Key or as a bearer token', async () => {
    expect((await create().set('X-Api-Key', SECRET).send({ account: 'loy_1' })).status).toBe(201)
    expect(
      (await create().set('Authorization', `Bearer ${SECRET}`).send({ account: 'loy_1' })).status,
    ).toBe(201)
  })

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['unknown', 'sk_test_nobodysnobodys'],
    ['expired', EXPIRED],
    ['revoked', REVOKED],
    ['no key at all', `Bearer ${SECRET}`],
    ['of 300 characters', `sk_test_${'x'.repeat(292)}`],
    ['an injection', "sk_test_' or 1=1 --"],
  ])('that is %s is 401 invalid_api_key, before the body is looked at', async (_title, key) => {
    const test = key === undefined ? create() : create().set('X-Api-Key', key)
    const { status, body, headers } = await test.set('Content-Type', 'application/json').send('{')
    expect([status, body.error.code, body.error.type]).toEqual([
      401,
      'invalid_api_key',
      'authentication_error',
    ])
    expect(headers['www-authenticate']).toBe('Bearer')
  })

  it('that is publishable opens what is declared for it, and is 403 key_not_allowed elsewhere', async () => {
    expect((await request(app).get('/v1/things').set('X-Api-Key', PUBLISHABLE)).status).toBe(200)
    const { status, body } = await create().set('X-Api-Key', PUBLISHABLE).send({ account: 'loy_1' })
    expect([status, body.error.code, body.error.type]).toEqual([
      403,
      'key_not_allowed',
      'permission_error',
    ])
  })

  it('gives the handler its workspace and mode', async () => {
    const { body } = await create().set('X-Api-Key', SECRET).send({ account: 'loy_1' })
    expect(body.saw).toMatchObject({ workspace: 'ws_1', livemode: false })
  })
})

describe('too many requests', () => {
  it('with one key are 429 with Retry-After, and do not touch another key', async () => {
    const { app } = appOfThings({ ratePerSecond: 2 })
    const read = (key: string) => request(app).get('/v1/things').set('X-Api-Key', key)
    const answers = await Promise.all(Array.from({ length: 12 }, () => read(SECRET)))
    const limited = answers.find(({ status }) => status === 429)
    expect(limited?.body.error).toMatchObject({
      type: 'rate_limit_error',
      code: 'too_many_requests',
    })
    expect(Number(limited?.headers['retry-after'])).toBeGreaterThan(0)
    expect(limited?.headers['ratelimit-limit']).toBe('2')
    expect((await read(PUBLISHABLE)).status).toBe(200)
  })

  it('without a key, with no key at all or with wrong ones are 429, while a good key from the same address opens though it was never seen', async () => {
    const { app } = appOfThings({ failedKeysPerMinute: 3 })
    const read = (key?: string) => {
      const sent = request(app).get('/v1/things')
      return key === undefined ? sent : sent.set('X-Api-Key', key)
    }
    const guesses = [undefined, 'no key', 'sk_test_guess0001', undefined, 'sk_test_guess0002', 'x']
    const statuses: number[] = []
    for (const guess of guesses) statuses.push((await read(guess)).status)
    expect(statuses).toEqual([401, 401, 401, 429, 429, 429])
    const { status, headers } = await read(undefined)
    expect([status, Number(headers['retry-after']) > 0]).toEqual([429, true])
    expect((await read(SECRET)).status).toBe(200)
    expect((await read(PUBLISHABLE)).status).toBe(200)
    expect((await read(EXPIRED)).status).toBe(429)
  })

  it('with one wrong key do not ask the database each time', async () => {
    let asked = 0
    const { app } = appOfThings({
      findKey: async () => {
        asked++
        return undefined
      },
    })
    for (let sent = 0; sent < 5; sent++) {
      await request(app).get('/v1/things').set('X-Api-Key', 'sk_test_guess0001')
    }
    expect(asked).toBe(1)
  })
})

describe('the key cache', () => {
  const good: ApiKey | undefined = [...KEYS.values()][0]

  const NOW = Date.UTC(2026, 0)

  function cacheAt(start: number) {
    let now = start
    let answer = good
    const looked: string[] = []
    const find = async (hash: string) => {
      looked.push(hash)
      return answer
    }
    return {
      cache: callerCache(find, () => now),
      looked,
      pass: (ms: number) => {
        now += ms
      },
      become: (key: ApiKey | undefined) => {
        answer = key
      },
    }
  }

  it('asks once for all who ask at the same time', async () => {
    const { cache, looked } = cacheAt(NOW)
    const found = await Promise.all(Array.from({ length: 20 }, () => cache.find('a')))
    expect(looked).toEqual(['a'])
    expect(new Set(found)).toEqual(new Set([good]))
  })

  it('knows a good key for less than five seconds and a wrong one for one', async () => {
    const { cache, pass, become } = cacheAt(NOW)
    await cache.find('a')
    become(undefined)
    await cache.find('b')
    pass(1_000)
    expect([cache.peek('a'), cache.peek('b')]).toEqual([{ found: good }, { found: undefined }])
    pass(1)
    expect(cache.peek('b')).toBeUndefined()
    pass(3_499)
    expect(cache.peek('a')).toEqual({ found: good })
    pass(1)
    expect(cache.peek('a')).toBeUndefined()
  })

  it('forgets a key that is no longer good', async () => {
    const { cache, become } = cacheAt(NOW)
    await cache.find('a')
    become(undefined)
    await cache.find('a')
    expect(cache.peek('a')).toEqual({ found: undefined })
  })

  it('asks anew once this process has changed a key, also where a look-up was under way', async () => {
    const { cache, looked, become } = cacheAt(NOW)
    await cache.find('a')
    cache.forget()
    expect(cache.peek('a')).toBeUndefined()
    const underWay = cache.find('a')
    cache.forget()
    become(undefined)
    expect([await underWay, await cache.find('a'), looked.length]).toEqual([good, undefined, 3])
    expect(cache.peek('a')).toEqual({ found: undefined })
  })

  it('does not remember a look-up that failed', async () => {
    let fails = true
    const cache = callerCache(async () => {
      if (fails) throw new Error('connection refused')
      return good
    })
    await expect(cache.find('a')).rejects.toThrow('refused')
    fails = false
    expect(await cache.find('a')).toBe(good)
  })

  it('keeps good keys through a flood of wrong ones, and no more than ten thousand of each', async () => {
    const { cache, become } = cacheAt(NOW)
    await cache.find('good')
    become(undefined)
    for (let guess = 0; guess < 10_001; guess++) await cache.find(`wrong-${guess}`)
    expect(cache.peek('good')?.found).toBe(good)
    expect(cache.peek('wrong-0')).toBeUndefined()
    expect(cache.peek('wrong-1')).toBeDefined()
  })
})
