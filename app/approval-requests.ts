import { type ApprovalRow, findApproval } from '../db/approvals.ts'
import type { BulkRow } from '../db/bulk.ts'
import { databaseNow } from '../db/clock.ts'
import { approvalEffectOfReversal } from '../db/ledger.gen.ts'
import type { Pool } from '../db/pool.ts'
import { isPosted } from '../db/transactions.ts'
import { type Maker, makerOf } from '../domain/actor.ts'
import { effectOfMovements } from '../domain/approval.ts'
import type { ApprovalRules } from './approval-limits.ts'
import type { approvalCommands, NewApproval } from './approvals.ts'
import { type Written, writtenBy } from './idempotent.ts'
import { type Movement, movementRows } from './transactions.ts'

type Context = {
  /** For reads. */
  readonly pool: Pool
  readonly commands: ReturnType<typeof approvalCommands>
  readonly approvalRules: ApprovalRules
}

/** The request that may have to wait. */
export type Asking = {
  readonly workspace: string
  readonly actor: Maker
  readonly idempotencyKey: string | undefined
  readonly fingerprint: string
  idOf(prefix: 'apr'): string
}

/** The approval that a request with this key asked for before. */
export async function askedBefore(
  pool: Pool,
  asking: Asking,
): Promise<Written<ApprovalRow> | undefined> {
  const { workspace, idempotencyKey, fingerprint } = asking
  if (idempotencyKey === undefined) return undefined
  const known = await findApproval(pool, workspace, asking.idOf('apr'))
  return known && writtenBy(fingerprint, known, true)
}

/** What every approval has of its request. */
async function newApproval(
  { approvalRules }: Pick<Context, 'approvalRules'>,
  asking: Asking,
  at: Date,
) {
  const { workspace, actor, fingerprint } = asking
  const expiresAt = new Date(at.getTime() + (await approvalRules.termMs(workspace)))
  return { workspace, id: asking.idOf('apr'), fingerprint, actor: makerOf(actor), at, expiresAt }
}

/** `single`: it is asked for as one transaction, and answered as one. */
type Adjustment = {
  readonly operation: string
  readonly movements: readonly Movement[]
  readonly single: boolean
}

/**
 * The approval that an adjustment waits for, now or since an earlier request with its key; undefined where it needs
 * none, or was done. Refused as the adjustment is, but for what the ledger says once it comes to it.
 */
export async function approvalOfAdjustment(
  context: Context,
  asking: Asking,
  { operation, movements, single }: Adjustment,
): Promise<Written<ApprovalRow> | undefined> {
  const { pool, commands, approvalRules } = context
  const { workspace, actor } = asking
  const { points } = await approvalRules.limitsOf(workspace, actor)
  if (points === null && actor.type === 'api_key') return undefined
  const known = await askedBefore(pool, asking)
  if (known !== undefined) return known.row.status === 'done' ? undefined : known
  if (points === null) return undefined
  if (await isPosted(pool, workspace, single ? operation : `${operation}:0`)) return undefined
  const at = await databaseNow(pool)
  const rows = await movementRows(pool, workspace, movements, { now: at, isRepeat: false, single })
  const effect = effectOfMovements(rows)
  if (effect.points <= points) return undefined
  const [first] = rows
  return commands.requestApproval({
    ...(await newApproval(context, asking, at)),
    kind: 'adjustment',
    account: effect.accounts === 1 ? (first?.account ?? null) : null,
    batch: null,
    reason: single ? (first?.reason ?? null) : null,
    command: { operation, single, rows },
    effect,
    ceiling: points,
  })
}

/** What an import above its asker's limit waits for, but for what its rows would do. */
export async function importApproval(
  context: Pick<Context, 'approvalRules'>,
  asking: Asking,
  {
    id,
    batch,
    fingerprint,
    createdAt,
    limit,
  }: Pick<BulkRow, 'id' | 'batch' | 'fingerprint' | 'createdAt'> & { limit: number },
): Promise<Omit<NewApproval, 'effect'>> {
  return {
    ...(await newApproval(context, asking, createdAt)),
    fingerprint,
    kind: 'import',
    account: null,
    batch,
    reason: null,
    command: { bulk: id },
    ceiling: limit,
  }
}

type Reversal = { readonly bulk: string; readonly batch: string }

/** The approval that the reversal of a batch waits for; undefined where it needs none, or has begun. */
export async function approvalOfReversal(
  context: Context,
  asking: Asking,
  { bulk, batch }: Reversal,
): Promise<Written<ApprovalRow> | undefined> {
  const { pool, commands, approvalRules } = context
  const { workspace, actor } = asking
  const { reversals } = await approvalRules.limitsOf(workspace, actor)
  if (!reversals) return undefined
  const asked: NewApproval = {
    ...(await newApproval(context, asking, await databaseNow(pool))),
    kind: 'batch_reversal',
    account: null,
    batch,
    reason: null,
    command: { bulk },
    effect: await approvalEffectOfReversal(pool, { workspace, batch }),
    ceiling: null,
  }
  return commands.requestApproval(asked)
}
