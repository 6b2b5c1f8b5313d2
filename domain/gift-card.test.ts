import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { readConfig } from '../config.ts'
import {
  type CodeKey,
  type CodeVault,
  checkCharacter,
  codeVault,
  isGiftCode,
  newGiftCode,
} from './gift-card.ts'

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

test.each([
  ['0', '0'],
  ['1', 'Y'],
  ['0123456789ABCDE', 'Z'],
  ['ZZZZZZZZZZZZZZZ', 'F'],
])('the check character of %s is %s', (body, check) => {
  expect(checkCharacter(body)).toBe(check)
})

test('a new code has its prefix, its length and a right check character', () => {
  const code = newGiftCode({ prefix: 'GIFT', length: 16 })
  expect(code).toMatch(/^GIFT(-[0-9A-Z]{4}){4}$/)
  expect(isGiftCode(code, 'GIFT')).toBe(true)
  expect(isGiftCode(code.toLowerCase().replace('gift', 'GIFT'), 'GIFT')).toBe(true)
  expect(newGiftCode({ length: 14 })).toMatch(/^([0-9A-Z]{4}-){3}[0-9A-Z]{2}$/)
})

test('any one wrong character is noticed, wherever it is', () => {
  const code = newGiftCode({ length: 16 }).replaceAll('-', '')
  for (let at = 0; at < code.length; at++) {
    for (const other of ALPHABET) {
      const typed = code.slice(0, at) + other + code.slice(at + 1)
      expect(isGiftCode(typed), typed).toBe(other === code[at])
    }
  }
})

test('swapped neighbours are noticed, all but 0 with Z', () => {
  for (const a of ALPHABET) {
    for (const b of ALPHABET) {
      const body = `5${a}${b}7`
      const swapped = `5${b}${a}7${checkCharacter(body)}`
      const missed = a === b || (a === '0' && b === 'Z') || (a === 'Z' && b === '0')
      expect(isGiftCode(swapped), swapped).toBe(missed)
    }
  }
})

test.each(['', 'A', 'U-0000', 'GIFT'])('%j is no code', (text) => {
  expect(isGiftCode(text)).toBe(false)
})

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
