import { setImmediate } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import type { PaymentSecret } from '../../db/payment-secrets.ts'
import { Refused } from '../../domain/refusal.ts'
import { signerSearch } from './inbound.ts'
import type { Provider } from './provider.ts'

const BODY = Buffer.alloc(100)
const SLICE_BYTES = 1_000 // ten secrets
const SEARCH_BYTES = 10_000 // a hundred

let tried: string[][]
beforeEach(() => {
  tried = []
})
/** Takes the secret `right`, and notes in what slices secrets were tried. */
const provider: Provider = {
  verify: ({ secrets }) => {
    tried.push(secrets.map(({ secret }) => secret))
    return secrets.find(({ secret }) => secret === 'right')
  },
  read: () => {
    throw new Error('nothing is read')
  },
}
const secretsOf = (count: number, right?: number) =>
  Array.from(
    { length: count },
    (_, index): PaymentSecret => ({
      workspace: 'ws_1',
      livemode: false,
      mapping: null,
      endpoint: `whs_${index}`,
      secret: index === right ? 'right' : `wrong ${index}`,
    }),
  )
const given = (secrets: PaymentSecret[], body = BODY) => ({
  provider,
  given: { header: () => undefined, body, secrets, nowMs: 0 },
  mayStart: async () => {},
})
const search = () => signerSearch({ sliceBytes: SLICE_BYTES, searchBytes: SEARCH_BYTES })
const refusalOf = async (asked: Promise<unknown>) => {
  const error = await asked.catch((reason: unknown) => reason)
  return error instanceof Refused ? error.refusal.code : error
}

describe('the search for who signed', () => {
  it('tries few secrets at once', async () => {
    expect(await search()(given(secretsOf(10, 9)))).toMatchObject({ endpoint: 'whs_9' })
    expect(tried.map(({ length }) => length)).toEqual([10])
  })

  it('tries many in slices, and others have the thread between two', async () => {
    const find = search()
    let turns = 0
    let isOver = false
    const others = (async () => {
      while (!isOver) {
        turns++
        await setImmediate()
      }
    })()
    expect(await find(given(secretsOf(100)))).toBeUndefined()
    isOver = true
    await others
    expect(tried.filter(({ length }) => length > 0).map(({ length }) => length)).toEqual(
      Array(10).fill(10),
    )
    expect(turns).toBeGreaterThanOrEqual(10)
  })

  it('tries who signed lately first, without any search', async () => {
    const find = search()
    const secrets = secretsOf(100, 95)
    await find(given(secrets))
    tried = []
    const asked = { ...given(secrets), mayStart: () => Promise.reject(new Error('a search began')) }
    expect(await find(asked)).toMatchObject({ endpoint: 'whs_95' })
    expect(tried).toEqual([['right']])
  })

  it('makes none for whom it may not', async () => {
    const mayStart = () => Promise.reject(new Refused({ code: 'too_many_requests', message: '' }))
    expect(await refusalOf(search()({ ...given(secretsOf(100)), mayStart }))).toBe(
      'too_many_requests',
    )
    expect(tried.flat()).toEqual([])
  })

  it('refuses a body that costs more than a search may, before hashing it', async () => {
    expect(await refusalOf(search()(given(secretsOf(101))))).toBe('body_too_large')
    expect(tried.flat()).toEqual([])
  })

  it('is one at a time, and of many waiting the last are told to come again', async () => {
    const find = search()
    const answers = await Promise.all(
      Array.from({ length: 25 }, () => refusalOf(find(given(secretsOf(100))))),
    )
    expect(answers).toEqual([
      ...Array(20).fill(undefined),
      ...Array(5).fill('temporarily_unavailable'),
    ])
    const searched = tried.filter(({ length }) => length > 0).map(([first]) => first)
    const inOrder = Array.from({ length: 10 }, (_, slice) => `wrong ${slice * 10}`)
    expect(searched).toEqual(Array.from({ length: 20 }, () => inOrder).flat())
  })
})
