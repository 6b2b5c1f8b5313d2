import request from 'supertest'
import { describe, expect, it } from 'vitest'
import { readConfig } from '../../config.ts'
import { appOfThings } from './things.ts'

const trustOf = (TRUST_PROXY?: string) =>
  readConfig({ DATABASE_URL: 'postgres://x/y', TRUST_PROXY }).trustProxy

describe('TRUST_PROXY', () => {
  it.each([
    [undefined, false],
    ['', false],
    ['false', false],
    ['true', true],
    ['0', 0],
    ['2', 2],
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['loopback, 203.0.113.7', 'loopback, 203.0.113.7'],
  ])('%s is %s', (setting, trusted) => {
    expect(trustOf(setting)).toBe(trusted)
  })

  /** What the fourth wrong key of an address is answered, and the first one of another. */
  async function afterThreeGuesses(setting: string | undefined) {
    const { app } = appOfThings({ failedKeysPerMinute: 3, trustProxy: trustOf(setting) })
    const guess = async (address: string) =>
      (
        await request(app)
          .get('/v1/things')
          .set('X-Forwarded-For', `198.51.100.1, ${address}`)
          .set('X-Api-Key', 'sk_test_guessed0123456789')
      ).status
    for (let guesses = 1; guesses <= 3; guesses++) await guess('203.0.113.1')
    return [await guess('203.0.113.1'), await guess('203.0.113.2')]
  }

  it('with one hop the address that the proxy adds is the caller’s: who guesses keys is held up alone', async () => {
    expect(await afterThreeGuesses('1')).toEqual([429, 401])
  })

  it('without it the header is anybody’s word: all come from the connection’s own address', async () => {
    expect(await afterThreeGuesses(undefined)).toEqual([429, 429])
  })

  it('with true the first of the header’s addresses is the caller’s', async () => {
    expect(await afterThreeGuesses('true')).toEqual([429, 429])
  })
})
