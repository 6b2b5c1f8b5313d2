import { z } from 'zod'
import { BULK_STATUSES } from '../../domain/bulk.ts'
import { id } from './ids.ts'
import { text } from './text.ts'
import { time } from './times.ts'

const LONGEST_BATCH = 500 // as a metadata value

/** The tag that rows carry to be found and reversed together. */
export const batchTag = text(LONGEST_BATCH)

const common = {
  batch: z.string(),
  status: z.enum(BULK_STATUSES),
  total: z.number().int(),
  posted: z.number().int(),
  refused: z.number().int(),
  created_at: time,
  completed_at: z.union([time, z.null()]),
  livemode: z.boolean(),
} as const

/** Many rows on their way into the ledger. */
export const Import = z
  .object({
    id: id('imp'),
    object: z.literal('import'),
    ...common,
    refusals: z.array(z.object({ line: z.number().int(), code: z.string() })).meta({
      description: 'The first hundred rows that the ledger refused as it came to them, by line.',
    }),
  })
  .meta({ id: 'Import', description: 'Rows of one file; its workflow carries its id.' })

/** A batch on its way back. */
export const BatchReversal = z
  .object({
    id: id('brv'),
    object: z.literal('batch_reversal'),
    ...common,
    refusals: z
      .array(z.object({ transaction: id('ptx'), code: z.string() }))
      .meta({ description: 'The first hundred that could not be reversed.' }),
  })
  .meta({ id: 'BatchReversal', description: 'The reversal of all that carries a batch tag.' })
