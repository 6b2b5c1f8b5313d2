import type { z } from 'zod'
import { refuseHalfAPolicy, refuseUnknownZone } from '../../app/programs.ts'
import { notFound } from '../../app/refusals.ts'
import { databaseNow } from '../../db/clock.ts'
import {
  findProgram,
  type ProgramChange,
  type ProgramRow,
  readPrograms,
} from '../../db/programs.ts'
import { newId } from '../../domain/ids.ts'
import { programObject } from '../../domain/program.ts'
import { idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { NewProgram, Program, ProgramUpdate } from '../schemas/programs.ts'
import { mergedMetadata } from '../schemas/text.ts'
import { created, updated } from '../server/declaration.ts'
import { endpoint } from '../server/endpoint.ts'

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
    const made = await deps.commands.createProgram(ctx.request, values)
    return created(made, (row) => programObject(row, livemode))
  },
})

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
    const changeOf = (before: ProgramRow): ProgramChange => {
      refuseHalfAPolicy(before, columns)
      return { ...columns, name, metadata: metadata && mergedMetadata(before.metadata, metadata) }
    }
    const changed = await deps.commands.updateProgram(ctx.request, params.id, changeOf, at)
    deps.decimals.forget(workspace)
    return updated(changed, (row) => programObject(row, livemode))
  },
})

type Settings = Omit<z.output<typeof ProgramUpdate>, 'metadata' | 'name'>

/** The columns behind the nested settings of a body; undefined leaves one as it is. */
function columnsOf({
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
