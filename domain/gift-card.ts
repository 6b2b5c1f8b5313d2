import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  randomInt,
} from 'node:crypto'

/** One code of a gift card as it is stored: sealed, with its last four characters for people. */
export type SealedGiftCard = {
  readonly id: string
  readonly sealed: string
  readonly last4: string
  readonly amount: number
  readonly currency: string
}

/** A code on its way into the database: never in the clear. */
export type SealedCode = { readonly hash: string; readonly sealed: string; readonly last4: string }

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
