import { describe, expect, it } from 'vitest'
import { allows, firstBeyond, SCOPES } from './scopes.ts'

describe('scopes', () => {
  it('are a pair for each resource', () => {
    expect(SCOPES).toContain('redemptions:read')
    expect(SCOPES).toContain('redemptions:write')
    expect(new Set(SCOPES).size).toBe(SCOPES.length)
  })

  it.each([
    [['*'], 'rewards:write', true],
    [['rewards:write'], 'rewards:write', true],
    [['rewards:write'], 'rewards:read', false],
    [['rewards:read'], 'rewards:write', false],
    [[], 'rewards:read', false],
  ])('%j for %s: %s', (held, scope, expected) => {
    expect(allows(held, scope)).toBe(expected)
  })

  it.each([
    [['rewards:read'], ['*'], undefined],
    [['*'], ['*'], undefined],
    [['*'], [...SCOPES], '*'],
    [['rewards:read', 'tills:write'], ['rewards:read'], 'tills:write'],
    [[], [], undefined],
  ])('of %j, beyond what one with them holds: %j', (asked, held, expected) => {
    expect(firstBeyond(asked, held)).toBe(expected)
  })
})
