import { expect } from 'vitest'
import { accountExpiryWorkflowId, WORKFLOW } from '../../../temporal/names.ts'
import { sendRow } from '../../../temporal/outbox-call.ts'
import type { House } from '../../support/house.ts'
import { begin, inMs, member, movement, type Outcomes } from './outcome.ts'

/** Days before a date at which the default program warns of it; null: it does not. */
const warn = (house: House, days: number | null) =>
  house.owner.query(
    `update program set expiry_warn_days_before = $1 where workspace = $2 and id = 'prog_default'`,
    [days, house.workspace],
  )

/** A member who was warned of 80 points that go at a time. */
async function warned(house: House, expiresAt: string): Promise<string> {
  await warn(house, 30)
  const account = await member(house)
  await house.commands.postTransaction(movement(house, account, 80, expiresAt))
  const warnings = async () =>
    (await house.owner.query('select 1 from expiry_warning where account = $1', [account])).rowCount
  await expect.poll(warnings, { timeout: 30_000 }).toBe(1)
  await warn(house, null)
  return account
}

export const expiryOutcomes: Outcomes = {
  'account expiry at its date': async (house) => {
    const account = await member(house)
    await house.commands.postTransaction(movement(house, account, 80, inMs(1_000)))
    return accountExpiryWorkflowId(house.workspace, account)
  },
  'account expiry after a warning': async (house) => {
    const account = await warned(house, inMs(4_000))
    return accountExpiryWorkflowId(house.workspace, account)
  },
  'account expiry warned of points that were spent': async (house) => {
    const wakesAt = inMs(86_400_000)
    const account = await warned(house, wakesAt)
    await house.commands.postTransaction(movement(house, account, -80))
    await sendRow(house.engine, {
      workspace: house.workspace,
      workflow_id: accountExpiryWorkflowId(house.workspace, account),
      workflow_type: WORKFLOW.accountExpiry,
      input: { workspace: house.workspace, account, wakesAt },
      facts: { wakesAt, shared: false },
      revision: Date.now() * 1000,
      change: 'changed',
      attempts: 0,
      lease: 0,
      start_in_ms: 86_400_000,
    })
    return accountExpiryWorkflowId(house.workspace, account)
  },
  'expiry batch of points that no run looks after': async (house) => {
    const account = await member(house)
    await house.commands.postTransaction(movement(house, account, 80, inMs(86_400_000)))
    // as an import leaves it
    const due = [house.workspace, account, inMs(500)]
    await house.owner.query(
      `with lots as (update lot set expires_at = $3 where workspace = $1 and account = $2)
       update account set lots_due_from = $3, expiry_wake_at = $3 where workspace = $1 and id = $2`,
      due,
    )
    return begin(house, WORKFLOW.expiryBatch, 1_500)
  },
  'expiry batch with nothing due': async (house) => begin(house, WORKFLOW.expiryBatch),
}
