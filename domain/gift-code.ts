import { randomInt } from 'node:crypto'

/** Crockford's 32 characters: no I, L, O or U, which are misread. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const N = ALPHABET.length
const GROUP = 4 // as many as one reads at a glance

/** How a gift card's codes are made: `length` characters, the last one a check, after the prefix. */
type CodeForm = { readonly prefix?: string; readonly length: number }

export const CODE_LENGTH = { least: 12, usual: 16, most: 32 } as const // 12: 55 random bits, beyond guessing

/** A new code in groups of four, `GIFT-0A1B-2C3D-...`; 5 random bits a character. */
export function newGiftCode({ prefix, length }: CodeForm): string {
  const body = Array.from({ length: length - 1 }, () => ALPHABET[randomInt(N)]).join('')
  const groups = (body + checkCharacter(body)).match(new RegExp(`.{1,${GROUP}}`, 'g')) ?? []
  return [...(prefix === undefined ? [] : [prefix]), ...groups].join('-')
}

/**
 * The check character by Luhn's algorithm for 32 characters: any one wrong
 * character changes it, and so does swapping neighbours, but for 0 and Z.
 */
export function checkCharacter(body: string): string {
  return ALPHABET[(N - (luhnSum(body, 2) % N)) % N] ?? ''
}

/** Whether the characters after the prefix, hyphens aside, end in their check character. */
export function isGiftCode(code: string, prefix?: string): boolean {
  const rest =
    prefix !== undefined && code.startsWith(`${prefix}-`) ? code.slice(prefix.length + 1) : code
  const characters = rest.replaceAll('-', '').toUpperCase()
  const known = Array.from(characters).every((character) => ALPHABET.includes(character))
  return known && characters.length > 1 && luhnSum(characters, 1) % N === 0
}

/** From the right, every second value doubled and its base-32 digits added; `first` is the rightmost one's factor. */
function luhnSum(characters: string, first: 1 | 2): number {
  let sum = 0
  let factor: number = first
  for (const character of Array.from(characters).reverse()) {
    const addend = ALPHABET.indexOf(character) * factor
    sum += Math.floor(addend / N) + (addend % N)
    factor = factor === 2 ? 1 : 2
  }
  return sum
}
