import { z } from 'zod'
import { type CodePoolRow, readCodeCounts } from '../../db/code-pools.ts'
import { codePoolObject } from '../../domain/code-pool.ts'
import { SHORTEST_CODE } from '../../domain/gift-card.ts'
import type { Deps } from '../server/deps.ts'
import { id } from './ids.ts'
import { metadata, text } from './text.ts'
import { time } from './times.ts'

const LONGEST_NAME = 200
const LONGEST_CODE = 200
const MOST_LOW = 10_000
const LOW_AT = 100 // a day's worth for a busy shop; low enough to be counted at each redemption
const MOST_CODES = 1_000 // an upload seals each one: a few milliseconds of the server in all

/** Gift card codes uploaded in advance. */
export const CodePool = z
  .object({
    id: id('cpl'),
    object: z.literal('code_pool'),
    name: z.string(),
    available: z.number().int().meta({ description: 'Codes that nobody was given yet.' }),
    given: z.number().int(),
    void: z
      .number()
      .int()
      .meta({ description: 'Codes that were returned, with all of their redemption or a part.' }),
    low_at: z.number().int().meta({
      description: 'With so many left, `loyalty.code_pool.low` says so, once until filled.',
    }),
    low_since: time.nullable(),
    metadata,
    created_at: time,
    livemode: z.boolean(),
  })
  .meta({
    id: 'CodePool',
    description: 'Gift card codes uploaded in advance; their texts stay sealed.',
  })

export const NewCodePool = z
  .strictObject({
    name: text(LONGEST_NAME),
    low_at: z.number().int().min(1).max(MOST_LOW).default(LOW_AT),
    metadata: metadata.default({}),
  })
  .meta({ id: 'NewCodePool' })

const code = text(LONGEST_CODE).transform((written) => written.trim())

export const NewCodes = z
  .strictObject({
    codes: z
      .array(code.refine((one) => one.length >= SHORTEST_CODE, 'is too short'))
      .min(1)
      .max(MOST_CODES)
      .meta({ description: `1 to ${MOST_CODES} codes; spaces around one are dropped.` }),
  })
  .meta({ id: 'NewCodes' })

/** What an upload did. */
export const CodeBatch = z
  .object({
    id: id('cbt'),
    object: z.literal('code_batch'),
    pool: id('cpl'),
    added: z.number().int(),
    duplicates: z
      .array(z.object({ line: z.number().int() }))
      .meta({ description: 'Codes that were here already, by their place in the list, from 1.' }),
    created_at: time,
    livemode: z.boolean(),
  })
  .meta({ id: 'CodeBatch', description: 'One upload of codes.' })

/** Pools as the API shows them, with how many of their codes are where. */
export async function presentCodePools(
  { pool }: Deps,
  { workspace, livemode }: { workspace: string; livemode: boolean },
  rows: readonly CodePoolRow[],
): Promise<z.input<typeof CodePool>[]> {
  const counts = await readCodeCounts(
    pool,
    workspace,
    rows.map(({ id }) => id),
  )
  return rows.map((row) => codePoolObject(row, livemode, counts.get(row.id)))
}

/** One pool as the API shows it. */
export async function presentCodePool(
  deps: Deps,
  asker: { workspace: string; livemode: boolean },
  row: CodePoolRow,
): Promise<z.input<typeof CodePool>> {
  const [object] = await presentCodePools(deps, asker, [row])
  if (object === undefined) throw new Error(`pool ${row.id} was not presented`)
  return object
}

/** A redemption's own code, shown to whoever may read the redemption. */
export const GiftCard = z
  .object({
    id: id('gcc'),
    code: z.string().optional().meta({ description: 'Not in events, nor where it is void.' }),
    last4: z
      .string()
      .meta({ description: 'The last characters; fewer than four of a short code.' }),
    amount: z.number().int(),
    currency: z.string(),
    status: z.enum(['given', 'void']),
  })
  .meta({ id: 'GiftCard', description: 'One code, given to one redemption for good.' })
