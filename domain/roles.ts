import { ALL_SCOPES, type HeldScope, SCOPES, type Scope } from './scopes.ts'

/** What a person is in a workspace, from who may do everything to who may look. */
export const ROLES = [
  'owner',
  'admin',
  'marketing',
  'support',
  'finance',
  'operator',
  'viewer',
] as const
export type Role = (typeof ROLES)[number]

/** Keys and people: who lets others in is an owner or an admin. All that is kept of a member is not for every reader. */
const NOT_FOR_ALL = /^(api_keys|team_members|memberships|personal_data):/
const READ = SCOPES.filter((scope) => scope.endsWith(':read') && !NOT_FOR_ALL.test(scope))

const writes = (...scopes: Scope[]): HeldScope[] => [...READ, ...scopes]

/** The one table of what each role may do: the scopes that its person's sessions have. */
const ROLE_SCOPES: Readonly<Record<Role, readonly HeldScope[]>> = {
  owner: [ALL_SCOPES],
  // Everything that there is today, and so no key or owner with *.
  admin: SCOPES,
  marketing: writes(
    'accounts:write',
    'attention:write',
    'earning_rules:write',
    'gift_cards:write',
    'imports:write',
    'programs:write',
    'rewards:write',
    'tills:write',
    'transactions:write',
  ),
  support: writes(
    'accounts:write',
    'attention:write',
    'payments:write',
    'personal_data:read',
    'redemptions:write',
    'store_credit:write',
    'tills:write',
    'transactions:write',
  ),
  finance: writes('attention:write', 'imports:write', 'transactions:write'),
  operator: writes(
    'attention:write',
    'events:write',
    'payments:write',
    'redemptions:write',
    'webhook_endpoints:write',
  ),
  viewer: READ,
}

export const scopesOfRole = (role: Role): readonly HeldScope[] => ROLE_SCOPES[role]
