import { randomBytes } from 'node:crypto'

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ' // no I, L, O or U: a cashier types it from a screen

/** A discount code: 60 random bits, in groups that can be read aloud. */
export function newCode(): string {
  const signs = [...randomBytes(12)].map((byte) => CROCKFORD[byte % CROCKFORD.length]).join('')
  return `VINR-${signs.slice(0, 4)}-${signs.slice(4, 8)}-${signs.slice(8)}`
}
