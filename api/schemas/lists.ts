import { z } from 'zod'
import type { PageRequest } from '../../db/page.ts'
import type { IdPrefix } from '../../domain/ids.ts'
import { id } from './ids.ts'
import { queryWindow } from './times.ts'

const DEFAULT_LIMIT = 20
const MOST = 100

const limit = z
  .string()
  .regex(/^\d{1,3}$/, `expected a number from 1 to ${MOST}`)
  .transform(Number)
  .refine((value) => value >= 1 && value <= MOST, `expected a number from 1 to ${MOST}`)
  .default(DEFAULT_LIMIT)
  .meta({ type: 'integer', minimum: 1, maximum: MOST, default: DEFAULT_LIMIT })

/** The query of a list: the page, and the list's own filters. `ids`: what its objects are called by. */
export function listQuery<Filters extends z.ZodRawShape>(
  ids: IdPrefix | z.ZodString,
  filters: Filters,
) {
  return pageQuery(ids, { created: queryWindow, ...filters })
}

/** The same of a list whose objects have no time of creation to choose by. */
export function pageQuery<Filters extends z.ZodRawShape>(
  ids: IdPrefix | z.ZodString,
  filters: Filters,
) {
  const cursor = typeof ids === 'string' ? id(ids) : ids
  return z
    .strictObject({
      limit,
      starting_after: cursor.optional(),
      ending_before: cursor.optional(),
      ...filters,
    })
    .refine((query) => !('starting_after' in query && 'ending_before' in query), {
      error: 'cannot stand beside starting_after',
      path: ['ending_before'],
    })
}

type PageQuery = {
  readonly limit: number
  readonly starting_after?: string | undefined
  readonly ending_before?: string | undefined
  readonly created?: PageRequest['created'] | undefined
  readonly program?: string | undefined
  readonly account?: string | undefined
}

/**
 * The page that a parsed list query asks for: newest first, `startingAfter` goes to older ones. Days
 * are those of the list's program, or of its account's.
 */
export function pageOf(query: PageQuery, account = query.account): PageRequest {
  const { limit, starting_after, ending_before, created, program } = query
  return {
    limit,
    startingAfter: starting_after,
    endingBefore: ending_before,
    created,
    program,
    account,
  }
}

/** The schema of a page of `item`. */
export function listReply<Item extends z.ZodType>(item: Item) {
  return z.object({
    object: z.literal('list'),
    url: z.string(),
    data: z.array(item),
    has_more: z.boolean(),
  })
}

/** A page as the API writes it; `url` is the list's own path. */
export function listOf<Item>(url: string, data: Item[], hasMore: boolean) {
  return { object: 'list' as const, url, data, has_more: hasMore }
}

/** Yes or no in a query. */
export const flag = z
  .enum(['true', 'false'])
  .transform((value) => value === 'true')
  .meta({ type: 'boolean' })
