import { expect } from 'vitest'
import { redemptionCommands } from '../../app/redemptions.ts'
import { findRedemption, type RedemptionRow } from '../../db/redemptions.ts'
import { newId } from '../../domain/ids.ts'
import type { RedemptionInput } from '../../workflows/inputs.ts'
import type { House } from './house.ts'
import { startedRun } from './run.ts'

export type Ask = {
  id?: string
  account?: string
  reward?: string
  /** Milliseconds from now. */
  holdMs?: number
  /** false: no run is started, as if that had been lost. */
  start?: boolean
}

/** Redeems as the API does, without HTTP, and waits until its run is started; for tests of what happens afterwards. */
export async function redeem(house: House, ask: Ask = {}): Promise<RedemptionInput> {
  const {
    id = newId('rdm'),
    account = 'loy_8sd2k1',
    reward = 'rwd_fivecredit',
    holdMs = 1_800_000,
  } = ask
  const dueAt = new Date(Date.now() + holdMs).toISOString()
  await create(house, { id, account, reward, quantity: 1, dueAt, start: ask.start ?? true })
  return { workspace: house.workspace, redemption: id, account, reward, releasesAt: dueAt }
}

type Create = {
  id: string
  account: string
  reward: string
  quantity: number
  /** ISO 8601 */
  dueAt: string
  start: boolean
}

/** One redemption, due when a test says, with its run or as if that had been lost. */
export async function create(house: House, ask: Create): Promise<void> {
  const { id, dueAt, start, ...about } = ask
  const result = await redemptionCommands({
    pool: start ? house.pool : house.reads,
  }).createRedemption({
    ...about,
    workspace: house.workspace,
    redemption: id,
    dueAt,
    holdMinutes: 30,
    code: `VINR-${id.slice(-12)}`,
    fingerprint: id,
    shipping: null,
    metadata: {},
  })
  if (result.outcome !== 'created') throw new Error(`not created: ${JSON.stringify(result)}`)
  const row = [house.workspace, id]
  if (!start) {
    const lose = 'delete from workflow_outbox where workspace = $1 and workflow_id = $2'
    await house.owner.query(lose, row)
    return
  }
  const unsent = 'select from workflow_outbox where workspace = $1 and workflow_id = $2'
  await expect.poll(async () => (await house.owner.query(unsent, row)).rowCount).toBe(0)
}

/** A sandbox payment that takes these redemptions and ends as its status says. */
export async function pay(
  house: House,
  redemptions: string[],
  status: 'completed' | 'failed' | 'requires_payment' = 'completed',
) {
  const at = new Date()
  return house.commands.createPayment({
    workspace: house.workspace,
    payment: newId('pay'),
    route: 'POST /v1/payments',
    key: null,
    fingerprint: 'test',
    amount: 2_999,
    currency: 'eur',
    customer: null,
    metadata: {},
    redemptions: redemptions.map((redemption) => ({ redemption })),
    status,
    awaitsConfirmation: false,
    event: newId('evt'),
    at: at.toISOString(),
    expiresAt: new Date(at.getTime() + 86_400_000).toISOString(),
  })
}

export async function redemptionOf(house: House, id: string): Promise<RedemptionRow> {
  const row = await findRedemption(house.pool, house.workspace, id)
  if (!row) throw new Error(`no redemption ${id}`)
  return row
}

/** Waits until the run of this id has been started and has ended, and returns its result. */
export async function ended(house: House, id: string): Promise<{ status: string; story: string }> {
  return (await startedRun(house.engine, id)).result()
}

export async function balanceOf(house: House, account = 'loy_8sd2k1'): Promise<number> {
  const { rows } = await house.owner.query(
    'select balance from account where workspace = $1 and id = $2',
    [house.workspace, account],
  )
  return rows[0].balance
}
