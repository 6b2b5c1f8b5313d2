import { derivedId } from '../../domain/ids.ts'
import type { Made } from './fixture.ts'
import { Shop } from './shop.ts'
import { ask, type RunningStack } from './stack.ts'

// What a shop has under way when it is upgraded. Each part is made as its users make it; only what
// would take months is written into the database.

const TWENTY_YEARS_MINUTES = 10_512_000
const HOUR_MS = 3_600_000
const IMPORT_ROWS = 600
const STAYS_OPEN = '4000000000003220'
const COMPLETES = '4242424242424242'

/** Brings everything under way. The last of it is due half a minute later: the stack is to be stopped before. */
export async function bringUnderWay(
  stack: RunningStack,
  receiver: string,
): Promise<Omit<Made, 'commit' | 'recordedAt'>> {
  const shop = await Shop.open(stack)
  try {
    const endpoints = await endpointsThatFail(shop, receiver)
    const longHold = await shop.reward({})
    const shortHold = await shop.reward({ holdMinutes: 0.5 })
    await shop.owner.query('update reward set hold_minutes = $2 where id = $1', [
      longHold,
      TWENTY_YEARS_MINUTES,
    ])
    const { lotGone, ...expiring } = await expiringMembers(shop)
    const waiting = {
      paid: await shop.redeem(longHold),
      cancelled: await shop.redeem(longHold),
      extended: await extended(shop, shortHold),
    }
    const items = await waitingItems(shop)
    const sale = await openSale(shop, longHold)
    const till = await tillHold(shop)
    const earning = { maturing: await maturingMember(shop), tier: await memberWhoseTierFalls(shop) }
    const imported = await pausedImport(shop)
    await lotGone()
    await shop.until('select tier_review_armed_at is not null as done from account where id = $1', [
      earning.tier,
    ])
    await shop.patch(`/v1/webhook_endpoints/${endpoints.disabled}`, { status: 'disabled' })
    const { lapsed, refusedRun } = await lapsingAndRefused(shop, shortHold)
    return {
      redemptions: {
        ...waiting,
        ...items,
        attached: sale.redemption,
        held: till.redemption,
        lapsed,
      },
      refusedRun,
      openPayment: sale.payment,
      accounts: { ...expiring, ...earning },
      heldEvent: till.event,
      import: imported,
      importRows: IMPORT_ROWS,
      endpoints,
    }
  } finally {
    await shop.close()
  }
}

/** Both have deliveries that are to be tried again. */
async function endpointsThatFail(shop: Shop, receiver: string) {
  const endpoint = async (path: string) => {
    const enabled_events = ['loyalty.redemption.created']
    const { id } = await shop.post('/v1/webhook_endpoints', {
      url: receiver + path,
      enabled_events,
    })
    return String(id)
  }
  return { enabled: await endpoint('/enabled'), disabled: await endpoint('/disabled') }
}

/** Its run was woken by the extension, and knows an earlier date than its row. */
async function extended(shop: Shop, reward: string): Promise<string> {
  const id = await shop.redeem(reward)
  await shop.post(`/v1/loyalty/redemptions/${id}/extend`, { minutes: 1_440 })
  await shop.owner.query(
    `update redemption set expires_at = expires_at + make_interval(mins => $2) where id = $1`,
    [id, TWENTY_YEARS_MINUTES],
  )
  return id
}

async function waitingItems(shop: Shop) {
  const item = (onOverdue: string) =>
    shop.reward({
      type: 'free_product',
      value: { product: 'Mug', quantity: 1 },
      fulfillment: { deadlineDays: 1, onOverdue },
    })
  const refunded = await shop.redeem(await item('refund'))
  const shipped = await shop.redeem(await item('notify'), { quantity: 2 })
  const parcel = { tracking: '0034', carrier: 'DHL', quantity: 1 }
  await shop.post(`/v1/loyalty/redemptions/${shipped}/fulfill`, parcel)
  return { refunded, shipped }
}

/** A payment that nobody completes, with a redemption. */
async function openSale(shop: Shop, reward: string) {
  const redemption = await shop.redeem(reward)
  const { id } = await shop.post('/v1/payments', {
    amount: 2_999,
    currency: 'EUR',
    card: STAYS_OPEN,
    redemptions: [redemption],
  })
  return { redemption, payment: String(id) }
}

async function tillHold(shop: Shop) {
  await shop.owner.query(`update program set hold_minutes = $1 where id = 'prog_default'`, [
    TWENTY_YEARS_MINUTES,
  ])
  const schema = { type: 'object', properties: { points: { type: 'integer' } } }
  await shop.post('/v1/event_types', { name: 'REDEEMED_POINTS', schema })
  await shop.post('/v1/reactors', {
    name: 'Redeem points',
    trigger: 'REDEEMED_POINTS',
    reactions: [{ type: 'adjust_points', points: '$.points * -1' }],
  })
  const user = await shop.member(1_000)
  const event = 'till-7-0001'
  const report = { type: 'REDEEMED_POINTS', user, payload: { points: 100 }, eventId: event }
  await shop.post('/events', { ...report, hold: true })
  const { rows } = await shop.owner.query(
    `select id, account from redemption where account = $1 and status = 'pending'`,
    [user],
  )
  return { redemption: String(rows[0].id), event }
}

/** One whose run sleeps after a first expiry, one whose run has not begun; both have a lot of the next day. */
async function expiringMembers(shop: Shop) {
  const inMs = (ms: number) => ({ expires_at: new Date(Date.now() + ms).toISOString() })
  const expiringAsleep = await shop.member(0)
  await shop.credit(expiringAsleep, 50, inMs(10_000))
  await shop.credit(expiringAsleep, 70, inMs(20 * HOUR_MS))
  const expiringDelayed = await shop.member(0)
  await shop.credit(expiringDelayed, 60, inMs(20 * HOUR_MS))
  const lotGone = () =>
    shop.until(
      `select count(*) = 1 as done from ptx where account = $1 and type = 'expire' and amount = -50`,
      [expiringAsleep],
    )
  return { expiringAsleep, expiringDelayed, lotGone }
}

async function maturingMember(shop: Shop): Promise<string> {
  const customer = 'cust_maturing'
  const account = await shop.member(0, { customer })
  await shop.post('/v1/loyalty/earning_rules', { award: { fixed: 40 }, pendingDays: 1 })
  const payment = { amount: 2_999, currency: 'EUR', card: COMPLETES, customer }
  await shop.post('/v1/payments', payment)
  await shop.until(
    `select count(*) = 1 as done from earning where account = $1 and outcome = 'pending'`,
    [account],
  )
  return account
}

/** What was earned a month ago counts until midnight. */
async function memberWhoseTierFalls(shop: Shop): Promise<string> {
  const tiers = [
    { name: 'Bronze', rank: 0, threshold: 0 },
    { name: 'Silver', rank: 1, threshold: 500 },
  ]
  const { id: program } = await shop.post('/v1/loyalty/programs', {
    name: 'Tiers',
    tierConfig: { period: { type: 'rolling', months: 1 }, graceDays: 0, tiers },
  })
  const account = await shop.member(0, { program })
  await shop.owner.query(
    `select points_post($1, $2, 'earn', 500, 'a month ago', 'a-month-ago', '', now() - interval '1 month',
       null, null, null, '{}', false)`,
    [shop.stack.workspace, account],
  )
  return account
}

/** Its first chunk waits for a member's lock while it is paused. */
async function pausedImport(shop: Shop): Promise<string> {
  const members = await Promise.all(Array.from({ length: 4 }, () => shop.member(0)))
  const rows = Array.from({ length: IMPORT_ROWS }, (_, n) =>
    JSON.stringify({ account: members[n % members.length], amount: 1, key: String(n) }),
  )
  const headers = { 'Content-Type': 'application/x-ndjson' }
  return shop.holding(members[0] ?? '', async (waiting) => {
    const { id } = await shop.post('/v1/loyalty/imports?batch=recorded', rows.join('\n'), headers)
    await waiting(1)
    await shop.post(`/v1/loyalty/imports/${id}/pause`)
    return String(id)
  })
}

/** Two at once of a member who has points for one: both have a run, one has a row. */
async function lapsingAndRefused(shop: Shop, reward: string) {
  const account = await shop.member(100)
  const asks = ['one', 'other'].map((key) => ({ 'Idempotency-Key': `recorded-${key}` }))
  const sent = await shop.holding(account, async (waiting) => {
    const both = asks.map((headers) =>
      ask(shop.stack, 'POST', '/v1/loyalty/redemptions', { account, reward }, headers),
    )
    await waiting(2)
    return both
  })
  const answers = await Promise.all(sent)
  const refused = answers.findIndex(({ status }) => status === 422)
  const lapsed = answers.find(({ status }) => status === 201)
  if (refused < 0 || lapsed === undefined) throw new Error('not one of two was refused')
  const key = asks[refused]?.['Idempotency-Key'] ?? ''
  const route = 'POST /v1/loyalty/redemptions'
  return {
    lapsed: String(lapsed.body.id),
    refusedRun: derivedId('rdm', shop.stack.workspace, route, key),
  }
}
