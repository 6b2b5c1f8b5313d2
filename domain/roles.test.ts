import { describe, expect, it } from 'vitest'
import { ROLES, scopesOfRole } from './roles.ts'
import { allows, firstBeyond } from './scopes.ts'

describe('a role', () => {
  it('may look at everything but keys, people and personal data, whichever it is', () => {
    for (const role of ROLES) {
      expect([role, allows(scopesOfRole(role), 'redemptions:read')]).toEqual([role, true])
    }
  })

  it.each([
    ['owner', 'memberships:write', true],
    ['admin', 'memberships:write', true],
    ['admin', 'api_keys:write', true],
    ['marketing', 'rewards:write', true],
    ['marketing', 'redemptions:write', false],
    ['marketing', 'api_keys:read', false],
    ['support', 'redemptions:write', true],
    ['support', 'rewards:write', false],
    ['support', 'team_members:read', false],
    ['support', 'personal_data:read', true],
    ['support', 'personal_data:write', false],
    ['admin', 'personal_data:write', true],
    ['finance', 'imports:write', true],
    ['finance', 'redemptions:write', false],
    ['operator', 'webhook_endpoints:write', true],
    ['operator', 'transactions:write', false],
    ['viewer', 'accounts:read', true],
    ['viewer', 'memberships:read', false],
    ['viewer', 'personal_data:read', false],
  ] as const)('%s, %s: %s', (role, scope, expected) => {
    expect(allows(scopesOfRole(role), scope)).toBe(expected)
  })

  it('viewer writes nothing', () => {
    expect(scopesOfRole('viewer').filter((scope) => !scope.endsWith(':read'))).toEqual([])
  })

  it('owner covers every other, and no other covers owner', () => {
    for (const role of ROLES) {
      expect(firstBeyond(scopesOfRole(role), scopesOfRole('owner'))).toBeUndefined()
      if (role === 'owner') continue
      expect(firstBeyond(scopesOfRole('owner'), scopesOfRole(role))).toBe('*')
    }
  })
})
