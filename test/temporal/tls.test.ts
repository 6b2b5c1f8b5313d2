import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { readConfig } from '../../config.ts'
import { connectEngine } from '../../temporal/connect.ts'
import { openShop } from '../api/shop.ts'
import { ended } from '../support/redeem.ts'
import { type Authority, createAuthority, type Identity } from './certificates.ts'
import { openRecorder, openTlsFront } from './fronts.ts'

const NAME = 'temporal.test' // in no DNS: the certificate's name, not the address's

let authority: Authority
let stranger: Authority
let server: Identity
let client: Identity
let front: Awaited<ReturnType<typeof openTlsFront>>

beforeAll(async () => {
  ;[authority, stranger] = await Promise.all([createAuthority('ours'), createAuthority('theirs')])
  ;[server, client] = await Promise.all([authority.issue(NAME), authority.issue('worker.test')])
  front = await openTlsFront(inject('temporalAddress'), server, authority.certificate)
})
afterAll(() => front.close())

const settings = (more: Record<string, string> = {}) =>
  readConfig({
    DATABASE_URL: 'postgres://db/vinr',
    TEMPORAL_ADDRESS: front.address,
    TEMPORAL_TLS_SERVER_NAME: NAME,
    TEMPORAL_TLS_SERVER_CA_CERT_DATA: authority.certificate,
    TEMPORAL_TLS_CLIENT_CERT_DATA: client.certificate,
    TEMPORAL_TLS_CLIENT_KEY_DATA: client.key,
    ...more,
  }).temporal

/** Connects, and is gone again. */
async function connects(more: Record<string, string> = {}): Promise<void> {
  const engine = await connectEngine(settings(more))
  await engine.close()
}

describe('a Temporal server that wants a certificate', () => {
  it('serves the API and the worker, which have one', async () => {
    const { taskQueue: _, ...connection } = settings()
    const shop = await openShop({ connection })
    try {
      const created = await shop.post('/v1/loyalty/redemptions', {
        account: 'loy_8sd2k1',
        reward: 'rwd_fivecredit',
      })
      expect(created.status).toBe(201)
      await shop.post('/v1/payments', {
        amount: 2_999,
        currency: 'EUR',
        card: '4242424242424242',
        discounts: [{ redemption: created.body.id }],
      })
      expect(await ended(shop, created.body.id)).toMatchObject({ status: 'applied' })
    } finally {
      await shop.close()
    }
  })

  it('refuses whoever has none', async () => {
    await expect(
      connects({ TEMPORAL_TLS_CLIENT_CERT_DATA: '', TEMPORAL_TLS_CLIENT_KEY_DATA: '' }),
    ).rejects.toThrow()
    expect(front.refused.at(-1)).toBe('ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE')
  })

  it("refuses another authority's", async () => {
    const theirs = await stranger.issue('worker.test')
    const before = front.refused.length
    await expect(
      connects({
        TEMPORAL_TLS_CLIENT_CERT_DATA: theirs.certificate,
        TEMPORAL_TLS_CLIENT_KEY_DATA: theirs.key,
      }),
    ).rejects.toThrow()
    expect(front.refused.length).toBeGreaterThan(before)
  })

  it('is refused itself where its authority or its name is another', async () => {
    await connects()
    await expect(
      connects({ TEMPORAL_TLS_SERVER_CA_CERT_DATA: stranger.certificate }),
    ).rejects.toThrow()
    await expect(connects({ TEMPORAL_TLS_SERVER_NAME: 'other.test' })).rejects.toThrow()
  })

  it('is not reached without TLS', async () => {
    await expect(connects({ TEMPORAL_TLS: 'false' })).rejects.toThrow()
  })
})

it('an API key goes with every call, over TLS, and so does the namespace', async () => {
  const recorder = await openRecorder(server)
  try {
    const engine = await connectEngine(
      settings({
        TEMPORAL_ADDRESS: recorder.address,
        TEMPORAL_API_KEY: 'key-of-the-cloud',
        TEMPORAL_NAMESPACE: 'shop.a1b2c',
        TEMPORAL_TLS_CLIENT_CERT_DATA: '',
        TEMPORAL_TLS_CLIENT_KEY_DATA: '',
      }),
    )
    await engine.client.workflow.getHandle('none').signal('any')
    await engine.close()
    expect(recorder.calls.length).toBeGreaterThanOrEqual(2)
    for (const headers of recorder.calls) {
      expect(headers.authorization).toBe('Bearer key-of-the-cloud')
    }
    expect(recorder.calls.at(-1)).toMatchObject({ 'temporal-namespace': 'shop.a1b2c' })
  } finally {
    await recorder.close()
  }
})
