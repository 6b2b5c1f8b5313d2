import type { Readable } from 'node:stream'
import { z } from 'zod'
import { memberArchive } from '../../app/member-archive.ts'
import { notFound } from '../../app/refusals.ts'
import { databaseNow } from '../../db/clock.ts'
import { findMember } from '../../db/personal-data.ts'
import { idPath } from '../schemas/ids.ts'
import { endpoint } from '../server/endpoint.ts'

const Archive = z.custom<Readable>().meta({ id: 'MemberArchive', type: 'string', format: 'binary' })

export const exportAccount = endpoint({
  method: 'POST',
  path: '/v1/loyalty/accounts/{id}/export',
  summary: 'Export all that is kept of a member',
  description:
    'A ZIP with a file of JSON for each kind of object and a README, made while it is sent. A merged account is exported as the one that it was merged into. Secrets, codes and other people’s data are not in it.',
  tags: ['personal data'],
  scope: 'personal_data:read',
  key: 'secret',
  params: idPath('loy'),
  body: z.strictObject({}),
  media: 'application/zip',
  reply: Archive,
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, params, deps }) => {
    const member = await findMember(deps.pool, workspace, params.id)
    if (member === undefined) return notFound('account', params.id)
    const at = await databaseNow(deps.pool)
    const object = memberArchive(deps.pool, { workspace, livemode }, member, at)
    return { status: 'ok', fileName: `${member.account}.zip`, object }
  },
})
