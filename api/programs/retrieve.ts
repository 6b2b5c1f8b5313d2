import { findProgram } from '../../db/programs.ts'
import { programObject } from '../../domain/objects/program.ts'
import { notFound } from '../points-refusal.ts'
import { idPath } from '../schemas/ids.ts'
import { Program } from '../schemas/programs.ts'
import { endpoint } from '../server/endpoint.ts'

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
