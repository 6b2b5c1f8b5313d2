import type { Maker } from './actor.ts'
import { pointsOf } from './points.ts'
import { ROLES, type Role, scopesOfRole } from './roles.ts'
import { allows, type Scope } from './scopes.ts'

export const APPROVAL_KINDS = ['adjustment', 'import', 'batch_reversal'] as const
export type ApprovalKind = (typeof APPROVAL_KINDS)[number]

/** `approved`: its run is still at it; `done`: what was shown has happened. */
export const APPROVAL_STATUSES = [
  'pending',
  'approved',
  'declined',
  'expired',
  'withdrawn',
  'done',
] as const
export type ApprovalStatus = (typeof APPROVAL_STATUSES)[number]

/** What would happen, in numbers; `points` are those credited and those debited together. */
export type ApprovalEffect = {
  readonly points: number
  readonly credited: number
  readonly debited: number
  readonly accounts: number
  readonly rows: number
}

type ApprovalFacts = {
  readonly id: string
  readonly kind: ApprovalKind
  readonly status: ApprovalStatus
  readonly account: string | null
  readonly batch: string | null
  readonly reason: string | null
  readonly effect: ApprovalEffect
  readonly ceiling: number | null
  readonly fingerprint: string
  readonly requestedBy: Maker
  readonly settledBy: Maker | null
  readonly confirmedAlone: boolean
  readonly note: string | null
  readonly result: string | null
  readonly createdAt: Date
  readonly remindedAt: Date | null
  readonly expiresAt: Date
  readonly settledAt: Date | null
}

const iso = (at: Date | null) => at?.toISOString() ?? null

/** What its asker must hold still when it is approved. */
export const SCOPE_OF_KIND: Readonly<Record<ApprovalKind, Scope>> = {
  adjustment: 'transactions:write',
  import: 'imports:write',
  batch_reversal: 'imports:write',
}

/** Who may approve, by their role. */
export const APPROVING_ROLES = ROLES.filter((role) => allows(scopesOfRole(role), 'approvals:write'))

/** The number that tells what it is about: an owner who is alone types it again. */
export const numberOf = ({ kind, effect }: Pick<ApprovalFacts, 'kind' | 'effect'>): number =>
  kind === 'adjustment' ? effect.points : effect.rows

/** From its request on, until an owner who is alone may confirm it. */
export const ALONE_AFTER_MS = 60_000 // so that nobody confirms by a second click

type Movement = { readonly account: string; readonly amount: number; readonly decimals: number }

/** Movements in numbers; amounts in units of their programs. */
export function effectOfMovements(movements: readonly Movement[]): ApprovalEffect {
  const scale = Math.max(...movements.map(({ decimals }) => decimals))
  let credited = 0n
  let debited = 0n
  for (const { amount, decimals } of movements) {
    const units = BigInt(amount) * 10n ** BigInt(scale - decimals)
    if (units > 0n) credited += units
    else debited -= units
  }
  const shown = (units: bigint) => pointsOf(Number(units), scale)
  return {
    points: shown(credited + debited),
    credited: shown(credited),
    debited: shown(debited),
    accounts: new Set(movements.map(({ account }) => account)).size,
    rows: movements.length,
  }
}

/** An approval as the API and its event show it. */
export function approvalObject(row: ApprovalFacts, livemode: boolean) {
  const { id, kind, status, account, batch, reason, effect, fingerprint, note, result } = row
  return {
    id,
    object: 'approval' as const,
    kind,
    status,
    account,
    batch,
    reason,
    effect,
    limit: row.ceiling,
    fingerprint,
    requested_by: row.requestedBy,
    settled_by: row.settledBy,
    confirmed_alone: row.confirmedAlone,
    note,
    result,
    reminded_at: iso(row.remindedAt),
    expires_at: row.expiresAt.toISOString(),
    settled_at: iso(row.settledAt),
    created_at: row.createdAt.toISOString(),
    livemode,
  }
}

/** What an asker may do without an approval; null: as much as they like. */
export type ApprovalLimits = {
  /** Points that one request moves, credits and debits together. */
  readonly points: number | null
  /** Rows of an import. */
  readonly rows: number | null
  /** Whether the reversal of a batch needs one. */
  readonly reversals: boolean
}

export const NO_LIMITS: ApprovalLimits = { points: null, rows: null, reversals: false }
const POINTS_OF_ROLE: Readonly<Partial<Record<Role, number>>> = {
  support: 5_000,
  marketing: 20_000,
}
const ROWS = 1_000

const PREFIX = 'approvals.'
const HOURS = `${PREFIX}hours`
const DEFAULT_HOURS = 72
const MOST_HOURS = 720
const HOUR_MS = 3_600_000

const LIMIT = /^approvals\.([a-z]+|key_[0-9A-Za-z]{1,40})\.(points|rows|reversals)$/

/** Whose limit a setting is, a role's or a key's; undefined where it is none. */
export function limitedBy(name: string): string | undefined {
  const [, who] = LIMIT.exec(name) ?? []
  if (who === undefined) return undefined
  return who.startsWith('key_') || ROLES.some((role) => role === who) ? who : undefined
}

/** Whether a setting of this name is about approvals. */
export const isApprovalSetting = (name: string): boolean => name.startsWith(PREFIX)

const isCount = (value: unknown): boolean =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

/** What is wrong with a setting about approvals; undefined where nothing is. */
export function wrongApprovalSetting(name: string, value: unknown): string | undefined {
  if (name === HOURS) {
    const isGood = isCount(value) && Number(value) >= 1 && Number(value) <= MOST_HOURS
    return isGood ? undefined : `expected whole hours from 1 to ${MOST_HOURS}`
  }
  if (limitedBy(name) === undefined) return 'there is no such setting of approvals'
  if (name.endsWith('.reversals')) {
    return typeof value === 'boolean' ? undefined : 'expected true or false'
  }
  return isCount(value) || value === false
    ? undefined
    : 'expected a whole number, or false where there is no limit'
}

type Settings = Readonly<Record<string, unknown>>

/** The limits of a role, or of a key: those of keys are none unless a setting says so. */
export function approvalLimits(
  settings: Settings,
  who: { readonly role: Role } | { readonly key: string },
): ApprovalLimits {
  const [name, usual] =
    'role' in who
      ? [who.role, { points: POINTS_OF_ROLE[who.role] ?? null, rows: ROWS, reversals: true }]
      : [who.key, NO_LIMITS]
  const count = (of: 'points' | 'rows') => {
    const value = settings[`${PREFIX}${name}.${of}`]
    if (value === false) return null
    return typeof value === 'number' ? value : usual[of]
  }
  const reversals = settings[`${PREFIX}${name}.reversals`]
  return {
    points: count('points'),
    rows: count('rows'),
    reversals: typeof reversals === 'boolean' ? reversals : usual.reversals,
  }
}

/** Whether a setting limits any key. */
export const hasLimitedKey = (settings: Settings): boolean =>
  Object.keys(settings).some((name) => limitedBy(name)?.startsWith('key_'))

/** What all of them allow. */
export function strictest(all: readonly ApprovalLimits[]): ApprovalLimits {
  const least = (of: 'points' | 'rows') => {
    const counts = all.flatMap((limits) => limits[of] ?? [])
    return counts.length === 0 ? null : Math.min(...counts)
  }
  return {
    points: least('points'),
    rows: least('rows'),
    reversals: all.some(({ reversals }) => reversals),
  }
}

/** Milliseconds from the asking until an approval expires. */
export function approvalTermMs(settings: Settings): number {
  const hours = settings[HOURS]
  return (typeof hours === 'number' ? hours : DEFAULT_HOURS) * HOUR_MS
}
