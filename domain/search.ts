import type { Scope } from './scopes.ts'

/** What a search finds, by its `object`, and what one must hold to read it. */
export const SEARCH_SCOPES = {
  loyalty_account: 'accounts:read',
  tier_change: 'accounts:read',
  payment: 'payments:read',
  refund: 'payments:read',
  redemption: 'redemptions:read',
  points_transaction: 'transactions:read',
  store_credit_transaction: 'store_credit:read',
  reward: 'rewards:read',
  code_pool: 'gift_cards:read',
  loyalty_program: 'programs:read',
  earning_rule: 'earning_rules:read',
  import: 'imports:read',
  batch_reversal: 'imports:read',
  event_type: 'tills:read',
  reactor: 'tills:read',
  event: 'events:read',
  request: 'requests:read',
  webhook_endpoint: 'webhook_endpoints:read',
  webhook_delivery: 'webhook_endpoints:read',
  attention_item: 'attention:read',
  api_key: 'api_keys:read',
  team_member: 'team_members:read',
} as const satisfies Readonly<Record<string, Scope>>

export type SearchObject = keyof typeof SEARCH_SCOPES
export const SEARCH_OBJECTS = Object.keys(SEARCH_SCOPES) as SearchObject[]

/** By what a hit was found. */
export const SEARCH_MATCHES = [
  'id',
  'customer',
  'external_id',
  'code',
  'last4',
  'order_number',
  'invoice',
  'provider_event',
  'batch',
  'email',
] as const
export type SearchMatch = (typeof SEARCH_MATCHES)[number]

export const MOST_HITS = 20

/** Between letters of a text that was copied: marks of direction, of no width and the like. */
const UNSEEN = /\p{Cf}/gu

/** What was meant by a text that somebody pasted; empty where nothing was. */
export const searchTerm = (pasted: string): string => pasted.replace(UNSEEN, '').trim()
