import { z } from 'zod'
import { SEARCH_MATCHES, SEARCH_OBJECTS } from '../../domain/search.ts'
import { text } from './text.ts'

const LONGEST_TERM = 255 // a provider's longest id

export const SearchQuery = z.strictObject({
  q: text(LONGEST_TERM).meta({
    description: 'An id, customer, external id, order number, code, or its last four.',
    example: '100482',
  }),
})

/** What was found: of what kind, and by what. */
export const SearchHit = z
  .object({
    object: z.enum(SEARCH_OBJECTS).meta({ description: 'What kind of object it is.' }),
    id: z.string(),
    matched: z.enum(SEARCH_MATCHES),
    label: z.string().nullable().meta({ description: 'What a person knows it by.' }),
  })
  .meta({ id: 'SearchHit', description: 'An object that a search found, and by what.' })

export const SearchReply = z.object({
  object: z.literal('search_result'),
  data: z.array(SearchHit),
})
