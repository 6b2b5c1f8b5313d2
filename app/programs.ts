import { isDeepStrictEqual } from 'node:util'
import type { RequestIdentity } from '../db/idempotency.ts'
import { decimalsUsed, expiryChecksEarlier, tierReassessStart } from '../db/ledger.gen.ts'
import {
  insertProgram,
  isTimeZone,
  lockProgram,
  type NewProgram,
  notePointValue,
  type ProgramChange,
  type ProgramRow,
  rescaleRewards,
  updateProgram,
} from '../db/programs.ts'
import type { Db } from '../db/workspace-client.ts'
import { type ExpiryMode, missingOfPolicy } from '../domain/expiry.ts'
import { refuse } from '../domain/refusal.ts'
import type { Dependencies } from './dependencies.ts'
import { changeOnce, idempotent, type Written } from './idempotent.ts'

/** The writers of programs. */
export function programCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    createProgram: (request: RequestIdentity, values: NewProgram): Promise<Written<ProgramRow>> =>
      idempotent(pool, request, {
        noun: 'program',
        id: values.id,
        write: (tx) => insertProgram(tx, values),
        find: lockProgram,
      }),

    /**
     * What `changeOf` makes of the program as it is, under its lock; it applies from `at` on.
     * Refused: decimals_in_use once it has a transaction. Other tiers call for a walk over the members,
     * which a workflow makes.
     */
    updateProgram: (
      request: RequestIdentity,
      id: string,
      changeOf: (before: ProgramRow) => ProgramChange,
      at: Date,
    ): Promise<Written<ProgramRow>> =>
      changeOnce(pool, request, {
        noun: 'program',
        id,
        lock: lockProgram,
        change: (tx, before) => change(tx, before, changeOf(before), at),
      }),
  }
}

async function change(
  tx: Db,
  before: ProgramRow,
  changes: ProgramChange,
  at: Date,
): Promise<ProgramRow | undefined> {
  const { workspace, id } = before
  if (Object.values(changes).every((value) => value === undefined)) return before
  await refuseUsedDecimals(tx, before, changes.decimals)
  await noteValue(tx, before, changes, at)
  const after = await updateProgram(tx, workspace, id, changes)
  if (after !== undefined && warnsOtherwise(before, after)) {
    await expiryChecksEarlier(tx, { workspace, program: id, at })
  }
  if (after !== undefined && !isDeepStrictEqual(after.tierConfig, before.tierConfig)) {
    await tierReassessStart(tx, { workspace, program: id, at })
  }
  return after
}

/** Warnings are days of the program's own zone: hours apart where its clocks change between. */
const warnsOtherwise = (before: ProgramRow, after: ProgramRow): boolean =>
  after.expiryWarnDaysBefore !== before.expiryWarnDaysBefore ||
  after.expiryTimeZone !== before.expiryTimeZone

async function refuseUsedDecimals(tx: Db, before: ProgramRow, decimals: number | undefined) {
  if (decimals === undefined || decimals === before.decimals) return
  const { workspace, id } = before
  const used = await decimalsUsed(tx, { workspace, program: id })
  if (used || !(await rescaleRewards(tx, workspace, id, decimals - before.decimals))) {
    const why = used ? 'The program has transactions' : 'A reward has a cost that needs them'
    refuse('decimals_in_use', `${why}: its decimals stay ${before.decimals}.`, {
      param: 'currency.decimals',
    })
  }
}

/** Before the program changes: its own row is what the value was until now. */
async function noteValue(
  tx: Db,
  before: ProgramRow,
  change: ProgramChange,
  at: Date,
): Promise<void> {
  const { pointValue = before.pointValue, currencyCode = before.currencyCode } = change
  if (pointValue === before.pointValue && currencyCode === before.currencyCode) return
  await notePointValue(tx, before, pointValue, currencyCode, at)
}

/** JavaScript and Postgres have lists of their own; the ledger reads Postgres's. */
export async function refuseUnknownZone(
  { pool }: Pick<Dependencies, 'pool'>,
  zone: string | undefined,
): Promise<void> {
  if (zone === undefined || (await isTimeZone(pool, zone))) return
  const param = 'expiry.timeZone'
  refuse('parameter_invalid', `${param}: expected the name of a time zone, as Europe/Berlin.`, {
    param,
  })
}

type Policy = {
  expiryMode?: ExpiryMode
  expiryMonths?: number | null
  expiryFixedDate?: string | null
}

/** Refuses a policy whose mode lacks what it needs, after the change. */
export function refuseHalfAPolicy(before: Policy, change: Policy): void {
  const { expiryMode = before.expiryMode ?? 'never' } = change
  const {
    expiryMonths = before.expiryMonths ?? null,
    expiryFixedDate = before.expiryFixedDate ?? null,
  } = change
  const field = missingOfPolicy({
    mode: expiryMode,
    months: expiryMonths,
    fixedDate: expiryFixedDate,
    resetOnActivity: false,
    warnDaysBefore: null,
    timeZone: 'UTC',
    roundTo: 'day',
  })
  if (field === undefined) return
  const param = `expiry.${field}`
  refuse('parameter_missing', `${param}: the mode ${expiryMode} needs it.`, { param })
}
