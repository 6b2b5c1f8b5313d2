import { newId } from '../../domain/ids.ts'
import { armRedemption, fulfillmentInputOf } from '../../temporal/redemption.ts'
import type { FulfillmentInput } from '../../workflows/messages.ts'
import type { House } from './house.ts'

export type ItemAsk = {
  id?: string
  account?: string
  reward?: string
  quantity?: number
  /** Milliseconds from now, or from `nowMs`. */
  deadlineMs?: number
  nowMs?: number
  creationWindowMs?: number
  /** false: nothing is armed, as if the run had been lost. */
  arm?: boolean
}

export const DAY_MS = 86_400_000

/** Arms and acts as the API does for an item, without HTTP; for tests of what happens afterwards. */
export async function redeemItem(house: House, ask: ItemAsk = {}): Promise<FulfillmentInput> {
  const {
    id = newId('rdm'),
    account = 'loy_8sd2k1',
    reward = 'rwd_totebag',
    quantity = 1,
    deadlineMs = 30 * DAY_MS,
  } = ask
  const at = new Date()
  const deadline = new Date((ask.nowMs ?? at.getTime()) + deadlineMs).toISOString()
  const run = fulfillmentInputOf(house.workspace, { id, account, reward }, deadline)
  const input = { ...run, creationWindowMs: ask.creationWindowMs ?? 30_000 }
  if (ask.arm !== false) await armRedemption(house.engine, input, deadlineMs)
  const result = await house.activities.createRedemption({
    workspace: house.workspace,
    redemption: id,
    account,
    reward,
    quantity,
    at: at.toISOString(),
    expiresAt: deadline,
    creationWindowMs: 30_000,
    code: `VINR-${id.slice(-12)}`,
    fingerprint: id,
    shipping: null,
    metadata: {},
  })
  if (result.outcome !== 'created') throw new Error(`not created: ${JSON.stringify(result)}`)
  return input
}

/** An item reward for tests: 100 points each, with what it is given. */
export async function itemReward(
  house: House,
  {
    id = newId('rwd'),
    value = {},
    onOverdue = 'notify',
    inventory = null,
    limit = null,
  }: {
    id?: string
    value?: { quantity?: number }
    onOverdue?: 'notify' | 'refund'
    inventory?: number | null
    limit?: number | null
  } = {},
): Promise<string> {
  await house.owner.query(
    `insert into reward (workspace, id, program, name, type, cost, value, inventory, per_member_limit, fulfillment)
     values ($1, $2, 'prog_default', 'Mug', 'free_product', 100, $3, $4, $5, $6)`,
    [
      house.workspace,
      id,
      { product: 'Mug', quantity: 1, ...value },
      inventory,
      limit,
      { deadlineDays: 7, onOverdue },
    ],
  )
  return id
}

/** The events of a redemption, oldest first. */
export async function eventsOf(house: House, id: string): Promise<string[]> {
  const { rows } = await house.owner.query<{ type: string }>(
    'select type from event where workspace = $1 and object = $2 order by id',
    [house.workspace, id],
  )
  return rows.map(({ type }) => type.replace('loyalty.redemption.', ''))
}
