import { z } from 'zod'
import { APPROVAL_KINDS, APPROVAL_STATUSES } from '../../domain/approval.ts'
import { id } from './ids.ts'
import { text } from './text.ts'
import { time } from './times.ts'

const LONGEST_NOTE = 500
const note = text(LONGEST_NOTE).optional()

const somebody = z.object({
  type: z.enum(['user', 'api_key']),
  id: z.string(),
  name: z.string().nullable(),
})

/** A command that waits for another person. */
export const Approval = z
  .object({
    id: id('apr'),
    object: z.literal('approval'),
    kind: z.enum(APPROVAL_KINDS),
    status: z.enum(APPROVAL_STATUSES).meta({
      description:
        '`approved`: its import or reversal has begun; `done`: what was shown has happened.',
    }),
    account: id('loy').nullable().meta({ description: 'Where it is about one.' }),
    batch: z.string().nullable(),
    reason: z.string().nullable().meta({ description: 'Of one adjustment.' }),
    effect: z
      .object({
        points: z.number().meta({ description: 'Credited and debited together.' }),
        credited: z.number(),
        debited: z.number(),
        accounts: z.number().int(),
        rows: z.number().int(),
      })
      .meta({ description: 'What would happen.' }),
    limit: z.number().int().nullable().meta({
      description: 'The points or rows that it is above; null where any needs an approval.',
    }),
    fingerprint: z.string().meta({ description: 'Of the request that asked.' }),
    requested_by: somebody,
    settled_by: somebody.nullable(),
    confirmed_alone: z.boolean().meta({
      description: 'An owner confirmed it who had asked: nobody else could have.',
    }),
    note: z.string().nullable().meta({ description: 'Of whoever settled it.' }),
    result: z
      .string()
      .nullable()
      .meta({ description: 'The transaction, import or reversal that came of it.' }),
    reminded_at: time.nullable(),
    expires_at: time,
    settled_at: time.nullable(),
    created_at: time,
    livemode: z.boolean(),
  })
  .meta({ id: 'Approval', description: 'A command that waits for another person’s yes.' })

export const ApprovalApproval = z
  .strictObject({
    note,
    number: z.number().optional().meta({
      description:
        'The points of an adjustment, the rows of an import or a reversal: an owner who asked, and whom nobody else can answer, types it again.',
    }),
  })
  .meta({ id: 'ApprovalApproval' })

export const ApprovalNote = z.strictObject({ note }).meta({ id: 'ApprovalNote' })
