import { databaseNow } from '../../db/clock.ts'
import { programObject } from '../../domain/objects/program.ts'
import { write } from '../contention.ts'
import { notFound } from '../points-refusal.ts'
import { idPath } from '../schemas/ids.ts'
import { Program, ProgramUpdate } from '../schemas/programs.ts'
import { mergedMetadata } from '../schemas/text.ts'
import { endpoint } from '../server/endpoint.ts'
import { identityOf } from '../server/idempotency.ts'
import { columnsOf, refuseHalfAPolicy } from './change.ts'
import { refuseUnknownZone } from './create.ts'

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
    const request = identityOf('PATCH /v1/loyalty/programs/{id}', ctx)
    const { value: row, replayed } = await write(() =>
      deps.commands.updateProgram(
        request,
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
    if (row === undefined) return notFound('program', params.id)
    deps.decimals.forget(workspace)
    return { status: 'ok', replayed, object: programObject(row, livemode) }
  },
})
