import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { readConfig } from '../config.ts'
import { type CodeKey, type CodeVault, codeVault } from './code-vault.ts'

const key = (id: string): CodeKey => ({ id, key: randomBytes(32) })
const vaultOf = (...keys: CodeKey[]): CodeVault => {
  const vault = codeVault(keys)
  if (vault === undefined) throw new Error('no vault')
  return vault
}

test('what was sealed opens to the same text, and is never sealed to the same twice', () => {
  const vault = vaultOf(key('a'))
  const [one, two] = [vault.seal('ws_1', 'GIFT-ÆØÅ-1'), vault.seal('ws_1', 'GIFT-ÆØÅ-1')]
  expect(vault.open('ws_1', one.sealed)).toBe('GIFT-ÆØÅ-1')
  expect(one.sealed).not.toBe(two.sealed)
  expect([one.hash, one.last4]).toEqual([two.hash, 'ØÅ-1'])
})

test('what is shown of a code are whole characters, never half of a surrogate pair', () => {
  const vault = vaultOf(key('a'))
  const shown = (code: string) => vault.seal('ws_1', code).last4
  expect(shown('GIFT-1💶23')).toBe('1💶23')
  expect(shown('GIFT-💶💶💶💶💶')).toBe('💶💶💶💶')
  expect(shown('🎁🎁')).toBe('🎁')
  expect(shown('🎁🎁🎁1')).toBe('🎁1')
})

test('it opens neither in another workspace, nor changed, nor with another key', () => {
  const keys = [key('a')]
  const { sealed } = vaultOf(...keys).seal('ws_1', 'GIFT-1234')
  expect(() => vaultOf(...keys).open('ws_2', sealed)).toThrow()
  const [name = '', text = ''] = sealed.split('.')
  const bytes = Buffer.from(text, 'base64url')
  for (const at of [0, 12, 28, bytes.length - 1]) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(() =>
      vaultOf(...keys).open('ws_1', `${name}.${changed.toString('base64url')}`),
    ).toThrow()
  }
  expect(() => vaultOf(key('a')).open('ws_1', sealed)).toThrow()
  expect(vaultOf(key('b')).open('ws_1', sealed)).toBeUndefined()
})

test('a new first key seals from then on; the old one still opens and still knows its codes again', () => {
  const [old, fresh] = [key('2025'), key('2026')]
  const before = vaultOf(old).seal('ws_1', 'GIFT-1234')
  const rotated = vaultOf(fresh, old)
  const after = rotated.seal('ws_1', 'GIFT-1234')
  expect(rotated.open('ws_1', before.sealed)).toBe('GIFT-1234')
  expect(after.sealed.startsWith('2026.')).toBe(true)
  expect(after.hash).toBe(before.hash)
})

test('of a short code less than half is shown', () => {
  expect(vaultOf(key('a')).seal('ws_1', 'ABCD').last4).toBe('CD')
})

test('keys are read from one line; a wrong one is named and not shown', () => {
  const [a, b] = [randomBytes(32), randomBytes(32)]
  const read = (text: string) =>
    readConfig({ DATABASE_URL: 'postgres://db/vinr', GIFT_CODE_KEYS: text }).giftCodeKeys
  expect(read(`new:${a.toString('base64')}, old:${b.toString('base64')}`)).toEqual([
    { id: 'new', key: a },
    { id: 'old', key: b },
  ])
  expect(read('')).toEqual([])
  const twice = `a:${a.toString('base64')},a:${b.toString('base64')}`
  for (const wrong of ['c2VjcmV0', 'a:c2VjcmV0', `a.b:${a.toString('base64')}`, twice]) {
    expect(() => read(wrong)).toThrow('GIFT_CODE_KEYS: expected name:key pairs')
    expect(() => read(wrong)).not.toThrow('c2VjcmV0')
  }
})
