import { randomBytes } from 'node:crypto'
import { type CodeVault, newGiftCode, type SealedCode } from '../domain/gift-card.ts'
import type { CodeSource } from '../domain/reward.ts'
import { Unavailable } from './unavailable.ts'

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ' // no I, L, O or U: a cashier types it from a screen

/** A discount code: 60 random bits, in groups that can be read aloud. */
export function newCode(): string {
  const signs = [...randomBytes(12)].map((byte) => CROCKFORD[byte % CROCKFORD.length]).join('')
  return `VINR-${signs.slice(0, 4)}-${signs.slice(4, 8)}-${signs.slice(8)}`
}

/** Codes made and sealed for one redemption; undefined where the reward's come from a pool, or it has none. */
export function newCodes(
  codes: CodeVault | undefined,
  workspace: string,
  source: CodeSource | null,
  quantity: number,
): SealedCode[] | undefined {
  if (source === null || !('generated' in source)) return undefined
  if (codes === undefined) {
    throw new Unavailable('The server has no GIFT_CODE_KEYS to seal codes with.')
  }
  const form = source.generated
  return Array.from({ length: quantity }, () => codes.seal(workspace, newGiftCode(form)))
}
