import type { Readable } from 'node:stream'
import { z } from 'zod'
import { findErasure } from '../../app/erasures.ts'
import { memberArchive } from '../../app/member-archive.ts'
import { notFound } from '../../app/refusals.ts'
import { databaseNow } from '../../db/clock.ts'
import { findMember } from '../../db/personal-data.ts'
import { erasureObject } from '../../domain/erasure.ts'
import { Erasure } from '../schemas/erasures.ts'
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

export const eraseAccount = endpoint({
  method: 'POST',
  path: '/v1/loyalty/accounts/{id}/erase',
  summary: 'Erase a member',
  description:
    'For good. The account is closed at once; its erasure waits for open redemptions, disputes and imports, and removes then what says who the member is. Amounts stay. Asked for again after its end, it is done once more.',
  tags: ['personal data'],
  key: 'secret',
  params: idPath('loy'),
  body: z.strictObject({}),
  reply: Erasure,
  successCodes: [202, 200],
  errors: [
    'resource_missing',
    'account_merged',
    'idempotency_key_reused',
    'idempotency_key_in_use',
  ],
  handle: async ({ params, deps, livemode, request }) => {
    const { row, replayed } = await deps.commands.eraseAccount(request, params.id)
    return { status: 'accepted', replayed, object: erasureObject(row, livemode) }
  },
})

export const retrieveErasure = endpoint({
  method: 'GET',
  path: '/v1/loyalty/accounts/{id}/erasure',
  summary: 'Retrieve the erasure of a member',
  description:
    'What it waits for, how far it is, and at its end the certificate: what was removed, when, and that a second search found nothing. 404 where none was asked for.',
  tags: ['personal data'],
  key: 'secret',
  params: idPath('loy'),
  reply: Erasure,
  errors: ['resource_missing'],
  handle: async ({ workspace, params, deps, livemode }) => {
    const row = await findErasure(deps.pool, workspace, params.id)
    if (row === undefined) return notFound('erasure', params.id)
    return { status: 'ok', object: erasureObject(row, livemode) }
  },
})
