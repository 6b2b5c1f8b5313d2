import { z } from 'zod'
import { ERASED_STORES, ERASURE_STATUSES } from '../../domain/erasure.ts'
import { id } from './ids.ts'
import { time } from './times.ts'

/** How far a member's erasure is, and at its end the certificate. */
export const Erasure = z
  .object({
    object: z.literal('erasure'),
    account: id('loy'),
    status: z.enum(ERASURE_STATUSES),
    waits_for: z
      .array(
        z.object({
          object: z.string(),
          status: z.enum(['pending', 'fulfillment_pending', 'disputed', 'importing']),
        }),
      )
      .meta({ description: 'Redemptions, payments and imports that must end first.' }),
    stores: z
      .array(z.object({ store: z.enum(ERASED_STORES), rows: z.number().int() }))
      .meta({ description: 'How many rows of each said something of the member and do no more.' }),
    search: z
      .object({ at: time, found: z.number().int() })
      .nullable()
      .meta({ description: 'The last search after it; a completed erasure found nothing.' }),
    shared_payments: z.array(z.string()).meta({
      description: 'Left as they are: another account, which is not erased, has a part in them.',
    }),
    requested_at: time,
    completed_at: time.nullable(),
    livemode: z.boolean(),
  })
  .meta({ id: 'Erasure', description: 'The erasure of a member, and at its end its certificate.' })
