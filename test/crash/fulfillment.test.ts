import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Answer, Processes } from '../support/processes.ts'

let all: Processes

beforeAll(async () => {
  all = await Processes.start()
})
afterEach(async () => {
  expect(await all.reconcile()).toEqual([])
})
afterAll(() => all.stop())

const redeemItem = async (key: string) =>
  (
    await all.request(
      'POST',
      '/v1/loyalty/redemptions',
      { account: 'loy_9f2k', reward: 'rwd_totebag' },
      key,
    )
  ).body

/** The same request again until it is answered for good, as a client with a key does. */
async function untilAnswered(path: string, body: object, key: string): Promise<Answer> {
  for (;;) {
    try {
      const answer = await all.request('POST', path, body, key)
      if (answer.status < 500) return answer
    } catch {
      // the connection broke: the outcome is unknown, and the key makes it safe to ask again
    }
    await new Promise((resolve) => setTimeout(resolve, 200)) // a client's back-off
  }
}

const events = async (id: unknown, type: string): Promise<number> =>
  (
    await all.owner.query(
      `select count(*)::int as n from event where type = 'loyalty.redemption.' || $2 and object = $1`,
      [id, type],
    )
  ).rows[0].n

/** Somebody else holds the row; whoever would write it waits. */
async function holdRow(id: unknown) {
  const blocker = await all.owner.connect()
  await blocker.query('begin')
  await blocker.query('select from redemption where id = $1 for update', [id])
  return async () => {
    await blocker.query('rollback')
    blocker.release()
  }
}

test.for(['before it is written', 'after it is written, before it is reported'])(
  'the API dies in the middle of fulfilling, %s: the retry has it fulfilled, once',
  async (when) => {
    const { id } = await redeemItem(`api-dies ${when}`)
    const letGo = await holdRow(id)
    const path = `/v1/loyalty/redemptions/${id}/fulfill`
    const parcel = { tracking: '0034', carrier: 'DHL' }
    const sent = untilAnswered(path, parcel, `parcel ${when}`)
    await expect.poll(() => all.waitingForRow(), { timeout: 20_000 }).toHaveLength(1)
    const [backend] = await all.waitingForRow()
    await all.kill('api')
    if (when === 'before it is written') await all.terminate(backend)
    await letGo()
    if (when !== 'before it is written') {
      await expect.poll(() => events(id, 'fulfilled'), { timeout: 20_000 }).toBe(1)
    }
    await all.startApi()
    expect(await sent).toMatchObject({
      status: 200,
      body: { status: 'fulfilled', fulfillment: { shipped: 1, tracking: '0034' } },
    })
    expect(await events(id, 'fulfilled')).toBe(1)
    const again = await all.request('POST', path, parcel, `parcel ${when}`)
    expect([again.status, again.replayed]).toEqual([200, true])
    expect(again.body).toMatchObject({ fulfillment: { shipments: [{ tracking: '0034' }] } })
  },
)

test('the API dies while an item is redeemed, before the points are taken: the retry takes them once', async () => {
  const held = await all.holdAccount('loy_9f2k')
  const sent = redeemItem('api-dies').catch(() => undefined)
  await expect.poll(() => held.waiters(), { timeout: 20_000 }).toHaveLength(1)
  const [backend] = await held.waiters()
  await all.kill('api')
  await all.terminate(backend)
  await held.release()
  await sent
  await all.startApi()
  const body = { account: 'loy_9f2k', reward: 'rwd_totebag' }
  const answer = await untilAnswered('/v1/loyalty/redemptions', body, 'api-dies')
  expect(answer).toMatchObject({ status: 201, body: { status: 'fulfillment_pending' } })
  expect((await all.redemptions()).filter(({ id }) => id === answer.body.id)).toHaveLength(1)
  const path = `/v1/loyalty/redemptions/${answer.body.id}/fulfill`
  expect((await untilAnswered(path, {}, 'api-dies-parcel')).body).toMatchObject({
    status: 'fulfilled',
  })
})
