import { findRedemption, type RedemptionRow } from '../../db/redemptions.ts'
import { newId } from '../../domain/ids.ts'
import { armRedemption } from '../../temporal/redemption.ts'
import type { RedemptionInput } from '../../workflows/messages.ts'
import type { House } from './house.ts'

export type Ask = {
  id?: string
  account?: string
  reward?: string
  /** Milliseconds from now. */
  holdMs?: number
  creationWindowMs?: number
  /** false: nothing is armed, as if the run had been lost. */
  arm?: boolean
}

/** Arms and acts as the API does, without HTTP; for tests of what happens afterwards. */
export async function redeem(house: House, ask: Ask = {}): Promise<RedemptionInput> {
  const {
    id = newId('rdm'),
    account = 'loy_8sd2k1',
    reward = 'rwd_fivecredit',
    holdMs = 1_800_000,
  } = ask
  const at = new Date()
  const expiresAt = new Date(at.getTime() + holdMs)
  const creationWindowMs = ask.creationWindowMs ?? Math.min(30_000, holdMs / 2)
  const input = {
    workspace: house.workspace,
    redemption: id,
    account,
    reward,
    releasesAt: expiresAt.toISOString(),
    creationWindowMs,
  }
  if (ask.arm !== false) await armRedemption(house.engine, input, holdMs)
  const result = await house.activities.createRedemption({
    workspace: house.workspace,
    redemption: id,
    account,
    reward,
    quantity: 1,
    at: at.toISOString(),
    expiresAt: expiresAt.toISOString(),
    creationWindowMs: 30_000,
    code: `VINR-${id.slice(-12)}`,
    fingerprint: id,
    shipping: null,
    metadata: {},
  })
  if (result.outcome !== 'created') throw new Error(`not created: ${JSON.stringify(result)}`)
  return input
}

/** A sandbox payment that takes these redemptions and ends as its status says. */
export async function pay(
  house: House,
  redemptions: string[],
  status: 'completed' | 'failed' | 'requires_payment' = 'completed',
) {
  const at = new Date()
  return house.activities.createPayment({
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

/** Waits until the run of this id has ended, and returns its result. */
export async function ended(house: House, id: string): Promise<{ status: string; story: string }> {
  return house.engine.client.workflow.getHandle(id).result()
}

export async function balanceOf(house: House, account = 'loy_8sd2k1'): Promise<number> {
  const { rows } = await house.owner.query(
    'select balance from account where workspace = $1 and id = $2',
    [house.workspace, account],
  )
  return rows[0].balance
}
