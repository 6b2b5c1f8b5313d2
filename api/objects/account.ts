import { z } from 'zod'
import { customerId, id } from '../values/id.ts'
import { metadata } from '../values/metadata.ts'
import { points } from '../values/points.ts'
import { time } from '../values/time.ts'

export const ACCOUNT_STATUSES = ['active', 'closed', 'merged'] as const

/** A member of one program. */
export const Account = z
  .object({
    id: id('loy'),
    object: z.literal('loyalty_account'),
    program: id('prog'),
    customer: z.string().nullable(),
    status: z.enum(ACCOUNT_STATUSES),
    balance: points.meta({ description: 'What can be spent now; below zero is a deficit.' }),
    lifetime_points: points.meta({ description: 'Never falls; tiers look at it.' }),
    pending_points: points.meta({ description: 'Earned, and not yet due to be credited.' }),
    tier: z.string().nullable(),
    merged_into: id('loy').optional(),
    expiring_points: z
      .array(z.object({ points, expires_at: time }))
      .meta({ description: 'Soonest first.' }),
    metadata,
    created_at: time,
    livemode: z.boolean(),
  })
  .meta({ id: 'Account', description: 'A member of one program.' })

/** What enrols a member. */
export const NewAccount = z
  .strictObject({
    program: id('prog').default('prog_default'),
    customer: customerId.optional(),
    metadata: metadata.default({}),
  })
  .meta({ id: 'NewAccount' })
