import { done } from '../db/border.ts'
import {
  redemptionApply,
  redemptionConfirm,
  redemptionCreate,
  redemptionExtend,
  redemptionRelease,
  redemptionReverse,
} from '../db/ledger.gen.ts'
import type { RedemptionRow } from '../db/redemptions.ts'
import type { RedemptionResult } from '../db/results/redemption.ts'
import { readRedemption } from '../db/snapshot.ts'
import type { CodeVault, SealedCode } from '../domain/gift-card.ts'
import { asRun } from './as-run.ts'
import type { Dependencies } from './dependencies.ts'
import { type Written, writtenBy } from './idempotent.ts'
import { newCode, newCodes } from './redemption-codes.ts'
import { orUnavailable, Unavailable } from './unavailable.ts'

/** A redemption to be made. Its times are the database's; `at` and `dueAt` (ISO 8601) are for tests. */
type NewRedemption = {
  workspace: string
  redemption: string
  account: string
  reward: string
  variant?: string | undefined
  quantity: number
  /** How long a discount waits for its payment where neither reward nor program says. */
  holdMinutes: number
  code: string
  fingerprint: string
  shipping: Record<string, unknown> | null
  metadata: Record<string, string>
  /** Made for a gift card whose reward has none of its own. */
  codes?: SealedCode[] | undefined
  at?: string
  dueAt?: string
}

/** A command of one redemption: done once by its operation. `at`: ISO 8601; null: the database's time. */
export type Command = {
  workspace: string
  redemption: string
  operation: string
  fingerprint: string
  at: string | null
}

type Reversal = Command & {
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

// What a release by the deadline or the payment has not: it is known by the redemption's own state.
const NO_OPERATION = { operation: null, fingerprint: null }

/**
 * What is done to redemptions at once: each is one ledger function, one transaction, whose answer has the row. A
 * "no" is an answer as well, for runs go on with it.
 */
export function redemptionCommands({ pool }: CommandDependencies) {
  return {
    createRedemption: (command: NewRedemption) =>
      redemptionCreate.answer(pool, {
        ...command,
        id: command.redemption,
        variant: command.variant ?? null,
        defaultHoldMinutes: command.holdMinutes,
        codes: command.codes ?? null,
        at: command.at ?? null,
        dueAt: command.dueAt ?? null,
      }),

    cancelRedemption: (command: Command & { reason: string }) =>
      redemptionRelease.answer(asRun(pool), {
        ...command,
        id: command.redemption,
        cause: 'cancel',
        payment: null,
      }),

    confirmRedemption: (command: Command) =>
      redemptionConfirm.answer(asRun(pool), { ...command, id: command.redemption }),

    extendRedemption: (command: Command & { minutes: number }) =>
      redemptionExtend.answer(asRun(pool), { ...command, id: command.redemption }),

    /** Where it refunds the payment as well, what follows from that is the payment's workflow's. */
    reverseRedemption: (command: Reversal) =>
      redemptionReverse.answer(asRun(pool), {
        ...command,
        id: command.redemption,
        points: command.points ?? null,
        quantity: command.quantity ?? null,
        refund: command.refund?.id ?? null,
        refundEvent: command.refund?.event ?? null,
      }),

    /** Its payment has completed; ignores the clock. */
    applyRedemption: (command: RedemptionMoment & { payment: string }) =>
      redemptionApply.answer(asRun(pool), { ...command, id: command.redemption }),

    /** The points return, where it is pending and its deadline has passed. */
    releaseDueRedemption: (command: RedemptionMoment) =>
      redemptionRelease.answer(asRun(pool), {
        ...command,
        ...NO_OPERATION,
        id: command.redemption,
        cause: 'deadline',
        payment: null,
        reason: 'expired',
      }),

    /** The points return, where it is attached to this payment, which came to nothing. */
    releaseFailedRedemption: (command: RedemptionMoment & { payment: string; reason: string }) =>
      redemptionRelease.answer(asRun(pool), {
        ...command,
        ...NO_OPERATION,
        id: command.redemption,
        cause: 'payment',
      }),
  }
}

/** What a request redeems. */
type CreateRedemption = Omit<NewRedemption, 'holdMinutes' | 'code' | 'codes'>

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
  const { account, reward, variant } = command
  const { outcome, redemption, decimals } = done(result, { account, reward, variant })
  const written = writtenBy(command.fingerprint, rowOf(redemption), outcome === 'exists')
  return { ...written, ...(decimals !== undefined && { decimals }) }
}

const CODE_TRIES = 3 // a code made twice is rarer than a broken disk; a reward changed meanwhile is not

/** With fresh codes where the reward's are to be made for it, and again where it asks for others. */
async function createWithCodes(
  { commands, codes }: CreateContext,
  command: NewRedemption,
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
  command: Command,
  change: (command: Command) => Promise<RedemptionResult>,
): Promise<Written<RedemptionRow>> {
  const result = await orUnavailable(UNKNOWN, () => change(command))
  const { outcome, redemption } = done(result, { redemption: command.redemption })
  return { row: rowOf(redemption), replayed: outcome === 'replayed' }
}

function rowOf(redemption: RedemptionResult['redemption']): RedemptionRow {
  if (redemption === undefined) throw new Error('an answer without its redemption')
  return readRedemption(redemption)
}
