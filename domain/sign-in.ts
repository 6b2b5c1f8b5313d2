import { hash, randomBytes } from 'node:crypto'
import type { TokenKind } from './team-member.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** How long a session goes on that nobody uses: a working day with its lunch. */
export const SESSION_IDLE_MS = 8 * HOUR_MS
/** And at most. */
export const SESSION_MS = 7 * DAY_MS
/** How long a browser is known that nobody signs in with. */
export const DEVICE_MS = 180 * DAY_MS

/** How long a token can be redeemed: an invitation may lie over a weekend, a reset is asked for now. */
export const TOKEN_MS: Readonly<Record<TokenKind, number>> = {
  invitation: 7 * DAY_MS,
  reset: HOUR_MS,
  sign_in: HOUR_MS,
}

// Five guesses, then waits of 1 s, 2 s, 4 s up to a minute: some 1,450 a day, however many processes answer.
const GUESSES = { free: 5, leak_ms: HOUR_MS, first_ms: 1_000, longest_ms: MINUTE_MS }
// Many people may share an address; theirs are given back where they succeed.
const OF_ADDRESS = { ...GUESSES, free: 20, leak_ms: 5 * MINUTE_MS }

/** Keys hold no personal data in the clear. */
const keyOf = (kind: string, value: string) => `${kind} ${hash('sha256', value, 'base64url')}`

/**
 * What a sign-in is counted by: its address, and its account, so that guesses from many addresses count
 * together. A browser that the person has signed in with before is counted by itself: strangers who guess
 * do not keep the person out.
 */
export function signInLimits(email: string, address: string, device: string | undefined) {
  const account =
    device === undefined ? keyOf('account', email) : keyOf('device', `${email} ${device}`)
  return [
    { key: account, ...GUESSES },
    { key: keyOf('address', address), ...OF_ADDRESS },
  ].sort((one, other) => (one.key < other.key ? -1 : 1)) // locks in one order
}

/** What redeeming a token or a code is counted by. */
export const addressLimits = (address: string) => [
  { key: keyOf('address', address), ...OF_ADDRESS },
]

/** 256 random bits, as a cookie or a link carries them. */
export const newToken = (): string => randomBytes(32).toString('base64url')

export const TOKEN_FORM = /^[\w-]{43}$/

/** How they are stored and looked up; random, so that no salt is needed. */
export const hashToken = (token: string): string => hash('sha256', token, 'hex')

/** What a page sends beside the cookie to show that it is ours: only who reads the answers of this origin has it. */
export const csrfTokenOf = (session: string): string =>
  hash('sha256', `csrf ${session}`, 'base64url')
