import type { z } from 'zod'
import { notFound } from '../../app/refusals.ts'
import { retryOnConflict } from '../../app/retry-on-conflict.ts'
import { databaseNow } from '../../db/clock.ts'
import { findProgram, isTimeZone, type ProgramChange, readPrograms } from '../../db/programs.ts'
import { missingOfPolicy } from '../../domain/expiry-policy.ts'
import { newId } from '../../domain/ids.ts'
import { programObject } from '../../domain/objects/program.ts'
import { refuse } from '../../domain/refusal.ts'
import { idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { NewProgram, Program, ProgramUpdate } from '../schemas/programs.ts'
import { mergedMetadata } from '../schemas/text.ts'
import type { Deps } from '../server/deps.ts'
import { endpoint } from '../server/endpoint.ts'
import { created, updated } from '../server/replies.ts'

export const createProgram = endpoint({
  method: 'POST',
  path: '/v1/loyalty/programs',
  summary: 'Create a program',
  tags: ['programs'],
  key: 'secret',
  body: NewProgram,
  reply: Program,
  successCodes: [201, 200],
  errors: ['idempotency_key_reused', 'idempotency_key_in_use'],
  handle: async (ctx) => {
    const { workspace, livemode, body, deps } = ctx
    const { name, metadata, ...settings } = body
    const columns = columnsOf(settings)
    refuseHalfAPolicy({}, columns)
    await refuseUnknownZone(deps, columns.expiryTimeZone)
    const values = { ...columns, workspace, id: newId('prog'), name, metadata }
    const made = await retryOnConflict(() => deps.commands.createProgram(ctx.request, values))
    return created(
      'program',
      made,
      (id) => findProgram(deps.pool, workspace, id),
      (row) => programObject(row, livemode),
    )
  },
})

/** JavaScript and Postgres have lists of their own; the ledger reads Postgres's. */
export async function refuseUnknownZone({ pool }: Deps, zone: string | undefined): Promise<void> {
  if (zone === undefined || (await isTimeZone(pool, zone))) return
  const param = 'expiry.timeZone'
  refuse('parameter_invalid', `${param}: expected the name of a time zone, as Europe/Berlin.`, {
    param,
  })
}

const path = '/v1/loyalty/programs'

export const listPrograms = endpoint({
  method: 'GET',
  path,
  summary: 'List programs',
  tags: ['programs'],
  key: 'secret',
  query: listQuery('prog', {}),
  reply: listReply(Program),
  errors: [],
  handle: async ({ workspace, livemode, query, deps }) => {
    const { rows, hasMore } = await readPrograms(deps.pool, workspace, pageOf(query))
    const data = rows.map((row) => programObject(row, livemode))
    return { status: 'ok', object: listOf(path, data, hasMore) }
  },
})

export const retrieveProgram = endpoint({
  method: 'GET',
  path: '/v1/loyalty/programs/{id}',
  summary: 'Retrieve a program',
  tags: ['programs'],
  key: 'secret',
  params: idPath('prog'),
  reply: Program,
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, params, deps }) => {
    const row = await findProgram(deps.pool, workspace, params.id)
    if (row === undefined) return notFound('program', params.id)
    return { status: 'ok', object: programObject(row, livemode) }
  },
})

export const updateProgram = endpoint({
  method: 'PATCH',
  path: '/v1/loyalty/programs/{id}',
  summary: 'Update a program',
  description:
    'Fields not named stay, also inside nested objects. Applies from now on: points keep the expiry they were earned with.',
  tags: ['programs'],
  key: 'secret',
  params: idPath('prog'),
  body: ProgramUpdate,
  reply: Program,
  errors: [
    'resource_missing',
    'parameter_missing',
    'decimals_in_use',
    'idempotency_key_reused',
    'idempotency_key_in_use',
  ],
  handle: async (ctx) => {
    const { workspace, livemode, params, body, deps } = ctx
    const { name, metadata, ...settings } = body
    const columns = columnsOf(settings)
    await refuseUnknownZone(deps, columns.expiryTimeZone)
    const at = await databaseNow(deps.pool)
    const changed = await retryOnConflict(() =>
      deps.commands.updateProgram(
        ctx.request,
        params.id,
        (before) => {
          refuseHalfAPolicy(before, columns)
          return {
            ...columns,
            name,
            metadata: metadata && mergedMetadata(before.metadata, metadata),
          }
        },
        at,
      ),
    )
    deps.decimals.forget(workspace)
    return updated('program', params.id, changed, (row) => programObject(row, livemode))
  },
})

type Settings = Omit<z.output<typeof ProgramUpdate>, 'metadata' | 'name'>

/** The columns behind the nested settings of a body; undefined leaves one as it is. */
export function columnsOf({
  currency,
  expiry,
  clawback,
  redemption,
  auto_enroll,
  tierConfig,
}: Settings): ProgramChange {
  return {
    currencyName: currency?.name,
    currencyCode: currency?.code,
    pointValue: currency?.pointValue,
    rounding: currency?.rounding,
    decimals: currency?.decimals,
    expiryMode: expiry?.mode,
    expiryMonths: expiry?.months,
    expiryFixedDate: expiry?.fixedDate,
    expiryResetOnActivity: expiry?.resetOnActivity,
    expiryWarnDaysBefore: expiry?.warnDaysBefore,
    expiryTimeZone: expiry?.timeZone,
    expiryRoundTo: expiry?.roundTo,
    clawbackAllowNegative: clawback?.allow_negative,
    autoEnroll: auto_enroll,
    holdMinutes: redemption?.holdMinutes,
    latePayment: redemption?.latePayment,
    expiredReturn: redemption?.expiredReturn,
    graceDays: redemption?.graceDays,
    tierConfig,
  }
}

type Policy = {
  expiryMode?: 'never' | 'rolling' | 'fixed'
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
