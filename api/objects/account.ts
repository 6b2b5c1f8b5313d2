import { z } from 'zod'
import { customerId, id } from '../values/id.ts'
import { metadata, metadataUpdate } from '../values/metadata.ts'
import { points } from '../values/points.ts'
import { text } from '../values/text.ts'
import { time } from '../values/time.ts'

export const ACCOUNT_STATUSES = ['active', 'closed', 'merged'] as const

/** How a member stands between tiers. */
const TierProgress = z
  .object({
    qualify_on: z.enum(['points', 'spend', 'custom']),
    qualifying: z.number().nullable().meta({
      description: 'What counts now: points, or minor units of money. Null under custom.',
    }),
    next: z
      .union([z.object({ tier: z.string(), threshold: z.number(), missing: z.number() }), z.null()])
      .meta({ description: 'The next higher tier and what is missing for it.' }),
    since: time.nullable().meta({ description: 'When the present tier began.' }),
    lapses_at: time
      .nullable()
      .meta({ description: 'When it falls if nothing more is earned, grace included.' }),
  })
  .meta({ id: 'TierProgress' })

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
    tier_progress: TierProgress.optional().meta({ description: 'Where the program has tiers.' }),
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

/** What may change of a member. */
export const AccountUpdate = z
  .strictObject({
    customer: customerId.nullable().optional().meta({ description: 'Null unlinks.' }),
    metadata: metadataUpdate.optional(),
  })
  .meta({ id: 'AccountUpdate' })

/** Which account goes into which. */
export const AccountMerge = z
  .strictObject({ source: id('loy'), target: id('loy') })
  .meta({ id: 'AccountMerge' })

const LONGEST_NOTE = 200
const LONGEST_TIER = 40

/** The tier a member is given by hand. */
export const AccountTier = z
  .strictObject({ tier: text(LONGEST_TIER).nullable(), reason: text(LONGEST_NOTE).optional() })
  .meta({ id: 'AccountTier' })

/** One change of a member's tier. */
export const TierChange = z
  .object({
    id: id('tch'),
    object: z.literal('tier_change'),
    account: id('loy'),
    from: z.string().nullable(),
    to: z.string().nullable(),
    cause: z.enum(['enrolled', 'qualified', 'lapsed', 'set', 'merged', 'reconfigured']),
    reason: z.string().nullable(),
    created_at: time,
    livemode: z.boolean(),
  })
  .meta({ id: 'TierChange', description: 'One change of a member’s tier.' })
