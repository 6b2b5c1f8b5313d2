import { readRedemption } from '../db/from-ledger.ts'
import {
  type CreateArguments,
  insertRedemption,
  type RedemptionResult,
  type RedemptionRow,
} from '../db/redemptions.ts'
import type { CodeVault, SealedCode } from '../domain/gift-card.ts'
import { Refused, refuse } from '../domain/refusal.ts'
import { callAsRun } from './call-as-run.ts'
import type { Dependencies } from './dependencies.ts'
import { type Written, writtenBy } from './idempotent.ts'
import type { Decimals } from './points.ts'
import { refuseMissing, refuseNonsense } from './quotes.ts'
import { newCode, newCodes } from './redemption-codes.ts'
import { inPoints, notFound } from './refusals.ts'
import { orUnavailable, Unavailable } from './unavailable.ts'

/** A command of one redemption: done once by its operation. `at`: ISO 8601; null: the database's time. */
export type Command = {
  workspace: string
  redemption: string
  operation: string
  fingerprint: string
  at: string | null
}

export type Reversal = Command & {
  reason: string
  /** A part, in the smallest unit or in rewards; neither: all that is left. */
  points?: number | undefined
  quantity?: number | undefined
  /** Ids of the refund of what the discount took off its payment, and of its event. */
  refund?: { id: string; event: string } | undefined
}

/** What a run or the reconciler finds to be done. `at`: ISO 8601, its time. */
export type RedemptionMoment = { workspace: string; redemption: string; at: string }

export type CommandDependencies = Pick<Dependencies, 'pool'>

type Send = (
  name: string,
  args: [workspace: string, redemption: string, ...unknown[]],
) => Promise<RedemptionResult>

/** What is done to redemptions at once: each is one ledger function, one transaction, whose answer has the row. */
export function redemptionCommands({ pool }: CommandDependencies) {
  const send: Send = (name, args) => callAsRun<RedemptionResult>(pool, name, args)

  return {
    createRedemption: (create: CreateArguments) => insertRedemption(pool, create),

    cancelRedemption: (cancel: Command & { reason: string }) =>
      send('redemption_release', [
        cancel.workspace,
        cancel.redemption,
        'cancel',
        null,
        cancel.operation,
        cancel.fingerprint,
        cancel.reason,
        cancel.at,
      ]),

    confirmRedemption: ({ workspace, redemption, operation, fingerprint, at }: Command) =>
      send('redemption_confirm', [workspace, redemption, operation, fingerprint, at]),

    extendRedemption: (extension: Command & { minutes: number }) =>
      send('redemption_extend', [
        extension.workspace,
        extension.redemption,
        extension.minutes,
        extension.operation,
        extension.fingerprint,
        extension.at,
      ]),

    /** Where it refunds the payment as well, what follows from that is the payment's workflow's. */
    reverseRedemption: (reversal: Reversal) =>
      send('redemption_reverse', [
        reversal.workspace,
        reversal.redemption,
        reversal.points ?? null,
        reversal.quantity ?? null,
        reversal.reason,
        reversal.operation,
        reversal.fingerprint,
        reversal.at,
        reversal.refund?.id ?? null,
        reversal.refund?.event ?? null,
      ]),

    ...settlements(send),
  }
}

/** What a run does at its time, or when its payment ends; the reconciler, where the run was lost. */
function settlements(send: Send) {
  return {
    /** Its payment has completed; ignores the clock. */
    applyRedemption: ({
      workspace,
      redemption,
      payment,
      at,
    }: RedemptionMoment & { payment: string }) =>
      send('redemption_apply', [workspace, redemption, payment, at]),

    /** The points return, where it is pending and its deadline has passed. */
    releaseDueRedemption: ({ workspace, redemption, at }: RedemptionMoment) =>
      send('redemption_release', [
        workspace,
        redemption,
        'deadline',
        null,
        null,
        null,
        'expired',
        at,
      ]),

    /** The points return, where it is attached to this payment, which came to nothing. */
    releaseFailedRedemption: ({
      workspace,
      redemption,
      payment,
      reason,
      at,
    }: RedemptionMoment & { payment: string; reason: string }) =>
      send('redemption_release', [
        workspace,
        redemption,
        'payment',
        payment,
        null,
        null,
        reason,
        at,
      ]),
  }
}

/** What a request redeems. */
type CreateRedemption = Omit<CreateArguments, 'holdMinutes' | 'code' | 'codes'>

/** `decimals` are its program's, where it is new. */
type CreatedRedemption = Written<RedemptionRow> & { readonly decimals?: number }

type CreateContext = {
  readonly commands: Pick<ReturnType<typeof redemptionCommands>, 'createRedemption'>
  readonly codes: CodeVault | undefined
  readonly holdMinutes: number
}

/**
 * Redeems, once by the redemption's id: another request's id is refused (idempotency_key_reused), and so is what
 * the reward's rules or the account's points do not let through.
 */
export async function createRedemption(
  context: CreateContext,
  command: CreateRedemption,
): Promise<CreatedRedemption> {
  const result = await createWithCodes(context, {
    ...command,
    holdMinutes: context.holdMinutes,
    code: newCode(),
  })
  const { outcome, redemption, refusal, param = 'account', decimals } = result
  if (redemption === undefined) {
    if (refusal !== undefined) throw new Refused(inPoints(refusal, decimals ?? 0))
    if (outcome === 'nonsense') return refuseNonsense(param)
    return refuseMissing({ ...result, param }, command)
  }
  const row = readRedemption(redemption)
  const written = writtenBy(command.fingerprint, row, outcome === 'exists')
  return { ...written, ...(decimals !== undefined && { decimals }) }
}

const CODE_TRIES = 3 // a code made twice is rarer than a broken disk; a reward changed meanwhile is not

/** With fresh codes where the reward's are to be made for it, and again where it asks for others. */
async function createWithCodes(
  { commands, codes }: CreateContext,
  command: CreateArguments,
): Promise<RedemptionResult> {
  const create = (fresh?: SealedCode[]) => commands.createRedemption({ ...command, codes: fresh })
  let result = await create()
  for (let tries = 0; result.outcome === 'codes_needed' && tries < CODE_TRIES; tries++) {
    const { workspace, quantity } = command
    result = await create(newCodes(codes, workspace, result.codes ?? null, quantity))
  }
  if (result.outcome === 'codes_needed') {
    throw new Unavailable('The gift card could not be made. Nothing was written; try again.')
  }
  return result
}

const UNKNOWN =
  'Whether the redemption was changed is unknown. Retry with the same Idempotency-Key.'

/**
 * Carries out a request's command of a redemption. Returns the row as that left it, or as it is now where an
 * earlier request with the key was obeyed; throws the ledger's refusal.
 */
export async function changeRedemption(
  decimals: Decimals,
  command: Command,
  change: (command: Command) => Promise<RedemptionResult>,
): Promise<Written<RedemptionRow>> {
  const result = await orUnavailable(UNKNOWN, () => change(command))
  const { outcome, redemption, refusal } = result
  const row = redemption && readRedemption(redemption)
  if (refusal !== undefined && 'ships' in refusal) {
    return refuse('parameter_invalid', 'id: this redemption has nothing to ship.', { param: 'id' })
  }
  if (refusal !== undefined) {
    const scale = row === undefined ? 0 : await decimals.ofProgram(row.workspace, row.program)
    throw new Refused(inPoints(refusal, scale))
  }
  if (row === undefined) return notFound('redemption', command.redemption)
  return { row, replayed: outcome === 'replayed' }
}
