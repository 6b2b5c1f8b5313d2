import { hash, randomBytes } from 'node:crypto'

export const KEY_KINDS = ['secret', 'publishable'] as const
export type KeyKind = (typeof KEY_KINDS)[number]

/** A new API key; what is stored is its hash. */
export function newApiKey(kind: KeyKind, livemode: boolean): string {
  const random = randomBytes(24).toString('base64').replaceAll('+', 'A').replaceAll('/', 'a')
  return `${kind === 'secret' ? 'sk' : 'pk'}_${livemode ? 'live' : 'test'}_${random}`
}

/** A new webhook signing secret: `whsec_` and 32 bytes in base64, as Standard Webhooks has it. */
export const newWebhookSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`

/** How a key is stored and looked up: sha256, hex. Keys are random, so that no salt is needed. */
export const hashApiKey = (key: string): string => hash('sha256', key, 'hex')

const SHOWN = 12 // `sk_test_` and four signs: enough to tell keys apart, and as good as nothing to guess by

/** What is kept of a key: its hash, and what a person recognises it by. */
export const keyParts = (key: string) => ({
  hash: hashApiKey(key),
  prefix: key.slice(0, SHOWN),
  last4: key.slice(-4),
})
