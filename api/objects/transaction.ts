import { z } from 'zod'
import { id } from '../values/id.ts'
import { metadata } from '../values/metadata.ts'
import { points, pointsMoved } from '../values/points.ts'
import { text } from '../values/text.ts'
import { bodyTime, time } from '../values/time.ts'

export const TRANSACTION_TYPES = [
  'earn',
  'redeem',
  'expire',
  'adjust',
  'reverse',
  'clawback',
  'release',
  'merge',
] as const

const Source = z.looseObject({
  payment: z.string().optional(),
  refund: z.string().optional(),
  redemption: z.string().optional(),
  rule: z.string().optional(),
  event: z.string().optional(),
  amount: z.number().int().optional(),
  currency: z.string().optional(),
})

/** One signed movement of points on one account. */
export const Transaction = z
  .object({
    id: id('ptx'),
    object: z.literal('points_transaction'),
    account: id('loy'),
    type: z.enum(TRANSACTION_TYPES),
    amount: points.meta({ description: 'Signed.' }),
    points: points.meta({ description: 'The same as `amount`.' }),
    balance_after: points,
    reason: z.string().nullable(),
    source: Source,
    reverses: id('ptx').optional(),
    batch: z.string().optional(),
    expires_at: time
      .optional()
      .meta({ description: 'When what is left of a credit expires; absent where it never does.' }),
    metadata,
    created_at: time,
    livemode: z.boolean(),
  })
  .meta({
    id: 'Transaction',
    description: 'One signed movement of points; never edited, never deleted.',
  })

const LONGEST_REASON = 255

/** What moves points by hand: positive credits, negative debits. */
export const NewTransaction = z
  .strictObject({
    account: id('loy'),
    type: z.literal('adjust').default('adjust'),
    amount: pointsMoved,
    reason: text(LONGEST_REASON).meta({ example: 'goodwill_credit' }),
    expires_at: bodyTime
      .optional()
      .meta({ description: 'Of a credit; exact, whatever the program says.' }),
    metadata: metadata
      .default({})
      .meta({ description: '`batch` tags rows to be found and reversed together.' }),
  })
  .refine(({ amount, expires_at }) => expires_at === undefined || amount > 0, {
    error: 'only a credit expires',
    path: ['expires_at'],
  })
  .meta({ id: 'NewTransaction' })
