import { expect, test } from 'vitest'
import { checkCharacter, isGiftCode, newGiftCode } from './gift-code.ts'

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
