import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import type { SealedCode } from './gift-card.ts'

/** A key of 32 bytes, and the name that sealed texts carry of it. */
export type CodeKey = { readonly id: string; readonly key: Buffer }

/** Seals gift card codes for the database and opens them again. Nothing else sees one in the clear. */
export type CodeVault = {
  seal(workspace: string, code: string): SealedCode
  /** Undefined where its key is not here; throws where the text was changed. */
  open(workspace: string, sealed: string): string | undefined
}

const CIPHER = 'aes-256-gcm'
const IV_BYTES = 12 // what GCM is made for
const TAG_BYTES = 16

/**
 * The first key seals, all of them open, so that keys can be changed without
 * rewriting what is stored. The last one also makes the hash by which a code
 * is known again: it stays. A sealed text is bound to its workspace.
 */
export function codeVault(keys: readonly CodeKey[]): CodeVault | undefined {
  const [current] = keys
  const oldest = keys.at(-1)
  if (current === undefined || oldest === undefined) return undefined
  const byId = new Map(keys.map(({ id, key }) => [id, key]))
  const hashKey = Buffer.from(hkdfSync('sha256', oldest.key, '', 'vinr gift code hash', 32))

  return {
    seal: (workspace, code) => {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv(CIPHER, current.key, iv).setAAD(Buffer.from(workspace))
      const text = Buffer.concat([cipher.update(code, 'utf8'), cipher.final()])
      const sealed = Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64url')
      return {
        hash: createHmac('sha256', hashKey).update(code).digest('base64url'),
        sealed: `${current.id}.${sealed}`,
        last4: lastCharacters(code),
      }
    },
    open: (workspace, sealed) => {
      const [id = '', text = ''] = sealed.split('.')
      const key = byId.get(id)
      if (key === undefined) return undefined
      const bytes = Buffer.from(text, 'base64url')
      const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES))
        .setAAD(Buffer.from(workspace))
        .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
      return (
        decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, 'utf8') +
        decipher.final('utf8')
      )
    },
  }
}

const SHOWN = 4

/** Four, of a short code less. Whole characters: half of a surrogate pair cannot be stored. */
function lastCharacters(code: string): string {
  const characters = Array.from(code)
  return characters.slice(-Math.min(SHOWN, Math.floor(characters.length / 2))).join('')
}

/** The shortest code that may be uploaded: of anything shorter the last characters would be all. */
export const SHORTEST_CODE = 4
