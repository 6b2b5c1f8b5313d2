import { scopesOf } from '../db/api-keys.ts'
import { type ApprovalRow, lockApproval, mayAnotherApprove, readApproval } from '../db/approvals.ts'
import { databaseNow } from '../db/clock.ts'
import type { RequestIdentity } from '../db/idempotency.ts'
import {
  approvalAdvance,
  approvalApprove,
  approvalClose,
  approvalRequest,
} from '../db/ledger.gen.ts'
import type { Pool } from '../db/pool.ts'
import type { ApprovalAnswer } from '../db/results/approval.ts'
import { approval } from '../db/schema/index.ts'
import { fromSnapshot } from '../db/snapshot.ts'
import { roleOf } from '../db/team-members.ts'
import type { Db } from '../db/workspace-client.ts'
import { type Maker, makerOf } from '../domain/actor.ts'
import { ALONE_AFTER_MS, numberOf, SCOPE_OF_KIND } from '../domain/approval.ts'
import { refuse } from '../domain/refusal.ts'
import { scopesOfRole } from '../domain/roles.ts'
import { allows } from '../domain/scopes.ts'
import { selvesOf } from './approval-limits.ts'
import { asRun } from './as-run.ts'
import { refuseBeyond } from './asker.ts'
import type { Dependencies } from './dependencies.ts'
import { changeOnce, type Written, writtenBy } from './idempotent.ts'

/** A command that is to wait, with what it would do. */
export type NewApproval = Parameters<typeof approvalRequest>[1]

type Settlement = { readonly id: string; readonly actor: Maker; readonly note: string | null }
type Approval = Settlement & { readonly number: number | undefined }

/** The writers of approvals. What is settled is so under the approval's lock, and once. */
export function approvalCommands({ pool }: Pick<Dependencies, 'pool'>) {
  const settle = async (
    request: RequestIdentity,
    id: string,
    change: (tx: Db, before: ApprovalRow, at: Date) => Promise<ApprovalAnswer>,
  ): Promise<Written<ApprovalRow>> => {
    const at = await databaseNow(pool)
    return changeOnce(pool, request, {
      noun: 'approval',
      id,
      lock: lockApproval,
      change: async (tx, before) => {
        refuseSettled(before)
        await change(tx, before, at)
        return readApproval(tx, request.workspace, id)
      },
    })
  }

  return {
    /** Keeps the command; a repeat finds the one that is there. */
    requestApproval: async (asked: NewApproval): Promise<Written<ApprovalRow>> =>
      requestedBy(asked, await approvalRequest(pool, asked)),

    /**
     * Does what the approval showed. Refused: approver_is_asker, where another person may approve, or the asker is
     * no owner, or has not waited, or typed another number; resource_changed, where what was shown is no longer
     * so, or who asked may not do it any more; approval_already_settled.
     */
    approve: (request: RequestIdentity, { id, actor, note, number }: Approval) =>
      settle(request, id, async (tx, before, at) => {
        const { workspace } = request
        await refuseBeyond(tx, workspace, actor, ['approvals:write'])
        const selves = await selvesOf(tx, workspace, before.requestedBy)
        const alone = await isSelf(tx, workspace, actor, selves)
        if (alone) await refuseNotAlone(tx, { before, actor, selves, at, number })
        if (!(await mayStill(tx, before))) {
          const fields = { shown: 'requested_by' }
          refuse('resource_changed', 'Who asked may not do it any more.', { fields })
        }
        const who = { workspace, id, actor: makerOf(actor), note }
        return approvalApprove(tx, { ...who, alone, at })
      }),

    /** Refused: approver_is_asker; approval_already_settled. */
    decline: (request: RequestIdentity, { id, actor, note }: Settlement) =>
      settle(request, id, async (tx, before, at) => {
        const { workspace } = request
        await refuseBeyond(tx, workspace, actor, ['approvals:write'])
        const selves = await selvesOf(tx, workspace, before.requestedBy)
        if (await isSelf(tx, workspace, actor, selves)) {
          refuse('approver_is_asker', 'Who asked does not decline: they withdraw.')
        }
        const status = 'declined' as const
        return approvalClose(tx, { workspace, id, status, actor: makerOf(actor), note, at })
      }),

    /** The asker's own right. Refused: anybody else; approval_already_settled. */
    withdraw: (request: RequestIdentity, { id, actor, note }: Settlement) =>
      settle(request, id, async (tx, before, at) => {
        const { workspace } = request
        const selves = await selvesOf(tx, workspace, before.requestedBy)
        if (!(await isSelf(tx, workspace, actor, selves))) {
          const code = actor.type === 'user' ? 'role_not_allowed' : 'key_not_allowed'
          refuse(code, 'Only who asked withdraws; another one declines.')
        }
        const status = 'withdrawn' as const
        return approvalClose(tx, { workspace, id, status, actor: makerOf(actor), note, at })
      }),
  }
}

/** Does what is due of it by its run's clock: the reminder, or its end. Answers what it waits for from then on. */
export const advanceApproval = (pool: Pool, due: { workspace: string; id: string; at: string }) =>
  approvalAdvance(asRun(pool), due)

/** What was asked for now, or by an earlier request with the same key. */
function requestedBy(
  { fingerprint }: Pick<NewApproval, 'fingerprint'>,
  { outcome, approval: snapshot }: ApprovalAnswer,
): Written<ApprovalRow> {
  if (snapshot === undefined) throw new Error(`no approval: ${outcome}`)
  return writtenBy(fingerprint, fromSnapshot(approval, snapshot), outcome === 'replayed')
}

/** What is settled stays; the ledger looks again at the time. */
function refuseSettled({ status }: ApprovalRow): void {
  if (status === 'pending') return
  const fields = { status }
  refuse('approval_already_settled', `The approval is ${status} already.`, { fields })
}

async function isSelf(
  tx: Db,
  workspace: string,
  actor: Maker,
  selves: ReadonlySet<string>,
): Promise<boolean> {
  const own = await selvesOf(tx, workspace, actor)
  return [...own].some((one) => selves.has(one))
}

type Alone = {
  readonly before: ApprovalRow
  readonly actor: Maker
  readonly selves: ReadonlySet<string>
  readonly at: Date
  readonly number: number | undefined
}

async function refuseNotAlone(tx: Db, { before, actor, selves, at, number }: Alone): Promise<void> {
  const { workspace, createdAt } = before
  const role = actor.type === 'user' ? await roleOf(tx, workspace, actor.id) : undefined
  if (role !== 'owner' || (await mayAnotherApprove(tx, workspace, selves))) {
    refuse('approver_is_asker', 'Another person than the one who asked approves.')
  }
  const from = new Date(createdAt.getTime() + ALONE_AFTER_MS)
  if (at < from) {
    const fields = { alone_from: from.toISOString() }
    refuse('approver_is_asker', 'Nobody else may approve: confirm it after a minute.', { fields })
  }
  const expected = numberOf(before)
  if (number !== expected) {
    const message = `number: type ${expected} again, for nobody else approves it.`
    refuse('parameter_invalid', message, { param: 'number' })
  }
}

/** Whether who asked may do it by themselves still, but for the limit. */
async function mayStill(tx: Db, { workspace, kind, requestedBy: asker }: ApprovalRow) {
  const scope = SCOPE_OF_KIND[kind]
  if (asker.type === 'api_key') return allows(await scopesOf(tx, workspace, asker.id), scope)
  const role = await roleOf(tx, workspace, asker.id)
  return role !== undefined && allows(scopesOfRole(role), scope)
}
