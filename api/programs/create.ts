import { findProgram, isTimeZone } from '../../db/programs.ts'
import { newId } from '../../domain/ids.ts'
import { programObject } from '../../domain/objects/program.ts'
import { refuse } from '../../domain/refusal.ts'
import { write } from '../contention.ts'
import { notFound } from '../points-refusal.ts'
import { NewProgram, Program } from '../schemas/programs.ts'
import type { Deps } from '../server/deps.ts'
import { endpoint } from '../server/endpoint.ts'
import { identityOf } from '../server/idempotency.ts'
import { columnsOf, refuseHalfAPolicy } from './change.ts'

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
    const request = identityOf('POST /v1/loyalty/programs', ctx)
    const created = await write(() => deps.commands.createProgram(request, values))
    if ('row' in created) return { status: 'created', object: programObject(created.row, livemode) }
    const row = await findProgram(deps.pool, workspace, created.replayOf)
    if (row === undefined) return notFound('program', created.replayOf)
    return { status: 'ok', replayed: true, object: programObject(row, livemode) }
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
