import { newId } from '../../domain/ids.ts'
import type { FulfillmentInput } from '../../workflows/inputs.ts'
import type { House } from './house.ts'
import { create } from './redeem.ts'

type ItemAsk = {
  id?: string
  account?: string
  reward?: string
  quantity?: number
  /** Milliseconds from now, or from `nowMs`. */
  deadlineMs?: number
  nowMs?: number
  /** false: no run is started, as if that had been lost. */
  start?: boolean
}

export const DAY_MS = 86_400_000

/** Redeems an item as the API does, without HTTP; for tests of what happens afterwards. */
export async function redeemItem(house: House, ask: ItemAsk = {}): Promise<FulfillmentInput> {
  const {
    id = newId('rdm'),
    account = 'loy_8sd2k1',
    reward = 'rwd_totebag',
    quantity = 1,
    deadlineMs = 30 * DAY_MS,
  } = ask
  const deadline = new Date((ask.nowMs ?? Date.now()) + deadlineMs).toISOString()
  await create(house, { id, account, reward, quantity, dueAt: deadline, start: ask.start ?? true })
  return { workspace: house.workspace, redemption: id, account, reward, deadline }
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
