/** What routes are about, as their tags name it; each has a scope to read and one to write. */
const RESOURCES = [
  'accounts',
  'api_keys',
  'approvals',
  'attention',
  'earning_rules',
  'events',
  'gift_cards',
  'imports',
  'memberships',
  'payments',
  'personal_data',
  'programs',
  'redemptions',
  'requests',
  'rewards',
  'search',
  'store_credit',
  'team_members',
  'tills',
  'transactions',
  'webhook_endpoints',
] as const

type Resource = (typeof RESOURCES)[number]

/** What one route asks of whoever calls it. Writing does not imply reading. */
export type Scope = `${Resource}:${'read' | 'write'}`

export const SCOPES: readonly Scope[] = RESOURCES.flatMap((resource) => [
  `${resource}:read` as const,
  `${resource}:write` as const,
])

/** Every scope, those of routes to come as well. */
export const ALL_SCOPES = '*'

export type HeldScope = Scope | typeof ALL_SCOPES

export const allows = (held: readonly string[], scope: string): boolean =>
  held.includes(ALL_SCOPES) || held.includes(scope)

/** The first of `asked` that `held` does not cover; nobody gives what they have not. */
export const firstBeyond = (
  asked: readonly string[],
  held: readonly string[],
): string | undefined => asked.find((scope) => !allows(held, scope))
