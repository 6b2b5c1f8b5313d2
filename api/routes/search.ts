import { findNamed } from '../../db/search.ts'
import { SEARCH_SCOPES, searchTerm } from '../../domain/search.ts'
import { SearchQuery, SearchReply } from '../schemas/search.ts'
import { endpoint } from '../server/endpoint.ts'

export const search = endpoint({
  method: 'GET',
  path: '/v1/search',
  summary: 'Find objects by what names them',
  description: `By an id, of ours or of a payment's provider, a customer, an external id, an order number (the
payment's metadata: \`order_number\`, \`order_id\`, \`order\` or \`client_reference_id\`, the first that there is), an
invoice, a batch, a team member's e-mail, a whole discount code, or the last four of a gift card. Whole and exact, but
for spaces around it and a # before it. At most 20, the newest five of each kind, and only kinds that the caller may read.`,
  tags: ['search'],
  key: 'secret',
  query: SearchQuery,
  reply: SearchReply,
  errors: ['parameter_missing'],
  handle: async (ctx) => {
    const term = searchTerm(ctx.query.q)
    const readable = (object: keyof typeof SEARCH_SCOPES) => ctx.may(SEARCH_SCOPES[object])
    const data = term === '' ? [] : await findNamed(ctx.deps.pool, ctx.workspace, term, readable)
    return { status: 'ok', object: { object: 'search_result' as const, data } }
  },
})
