import { getTableColumns } from 'drizzle-orm'
import type { AnyPgColumn, PgTable } from 'drizzle-orm/pg-core'
import {
  account,
  allocation,
  creditTransaction,
  creditWallet,
  inbox,
  lot,
  memberIdentity,
  payment,
  ptx,
  reactorActivation,
  redemption,
  refund,
  reportedEvent,
  request,
  tierChange,
  tierSpend,
} from './schema/index.ts'

/** A member by the ids under which the tables have them: what was merged into the account is theirs. */
export type Member = {
  readonly workspace: string
  readonly account: string
  readonly decimals: number
  readonly customers: readonly string[]
  readonly accounts: readonly string[]
  readonly transactions: readonly string[]
  readonly redemptions: readonly string[]
  readonly payments: readonly string[]
  /** Those that no other customer made. */
  readonly ownPayments: readonly string[]
  readonly reportedEvents: readonly string[]
}

type Row = Record<string, unknown>

/** A table that knows something of members, and what of it is theirs to read. */
export type MemberStore = {
  readonly name: string
  readonly about: string
  readonly table: PgTable & { workspace: AnyPgColumn }
  /** Whose ids `of` answers; an index begins with it. */
  readonly by: AnyPgColumn
  readonly of: (member: Member) => readonly string[]
  /** An allow-list: never secrets, hashes, codes, or what is only ours to work with. */
  readonly columns: readonly AnyPgColumn[]
  /** The names of those that are points in the smallest unit. */
  readonly points: ReadonlySet<string>
  /** A row without what is another person's. */
  readonly own: (row: Row, member: Member) => Row
}

type Given = Pick<MemberStore, 'name' | 'about' | 'table' | 'by' | 'of'> &
  Partial<Pick<MemberStore, 'own'>> & { columns: string; points?: string }

function store({ columns, points = '', own = (row) => row, ...rest }: Given): MemberStore {
  const all = getTableColumns(rest.table)
  const named = (names: string): AnyPgColumn[] =>
    names.split(/\s+/).flatMap((name) => {
      const column = all[name]
      if (column === undefined && name !== '') throw new Error(`${rest.name} has no ${name}`)
      return column ?? []
    })
  const inPoints = new Set(named(points).map(({ name }) => name))
  return { ...rest, own, columns: named(columns), points: inPoints }
}

/** What events and requests name of a member. */
export function objectsOf({ accounts, redemptions, payments, reportedEvents }: Member): string[] {
  return [...accounts, ...redemptions, ...payments, ...reportedEvents]
}

const SECRET = /secret|token|password|api_?key/i

/** A provider's own words, but for what opens something there. */
function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([name]) => !SECRET.test(name))
  return Object.fromEntries(entries.map(([name, inner]) => [name, withoutSecrets(inner)]))
}

/** Of which `events` is not one: they are shown as the API shows them. */
export const MEMBER_STORES: readonly MemberStore[] = [
  store({
    name: 'accounts',
    about: 'the account, and those that were merged into it',
    table: account,
    by: account.id,
    of: ({ accounts }) => accounts,
    columns: `id program customer status balance lifetimePoints tier tierSince mergedInto metadata
      createdAt`,
    points: 'balance lifetimePoints',
  }),
  store({
    name: 'identities',
    about: 'how the member is recognised at a till',
    table: memberIdentity,
    by: memberIdentity.account,
    of: ({ accounts }) => accounts,
    columns: 'id account kind value label createdAt revokedAt',
    // of a phone or a card there is only a keyed hash, and a device's id belongs to its secret
    own: ({ value, ...row }) => (row.kind === 'external_id' ? { ...row, external_id: value } : row),
  }),
  store({
    name: 'transactions',
    about: 'every movement of points, the last of them the balance',
    table: ptx,
    by: ptx.id,
    of: ({ transactions }) => transactions,
    columns: `id account type amount balanceAfter reason redemption payment refund source reverses batch
      expiresAt metadata at createdAt`,
    points: 'amount balanceAfter',
  }),
  store({
    name: 'lots',
    about:
      'what each credit brought, what is left of it, and when that expires; ids are the transactions’',
    table: lot,
    by: lot.id,
    of: ({ transactions }) => transactions,
    columns: 'id account points remaining earnedAt expiresAt',
    points: 'points remaining',
  }),
  store({
    name: 'allocations',
    about: 'which debit took how much of which lot; negative where it was given back',
    table: allocation,
    by: allocation.debit,
    of: ({ transactions }) => transactions,
    columns: 'debit lot cause amount',
    points: 'amount',
  }),
  store({
    name: 'redemptions',
    about: 'what points were spent on, with where it was sent',
    table: redemption,
    by: redemption.id,
    of: ({ redemptions }) => redemptions,
    columns: `id account reward status points reversedPoints quantity variant discount fulfillment credit
      payment transaction expiresAt appliedAt releasedAt fulfilledAt reversedAt reason metadata
      createdAt`,
    points: 'points reversedPoints',
  }),
  store({
    name: 'payments',
    about: 'what was paid, in minor units of its currency',
    table: payment,
    by: payment.id,
    of: ({ payments }) => payments,
    columns: `id provider status amount amountCharged amountRefunded currency customer storeCredit
      metadata createdAt completedAt`,
    // somebody else paid, and the member's points came into it
    own: (row, { customers }) =>
      row.customer === null || customers.some((customer) => customer === row.customer)
        ? row
        : { ...row, customer: null, metadata: {} },
  }),
  store({
    name: 'provider_events',
    about: 'what payment providers reported of them; kept for some weeks',
    table: inbox,
    by: inbox.payment,
    of: ({ ownPayments }) => ownPayments,
    columns: 'id provider type payment payload receivedAt',
    own: ({ payload, ...row }) => ({ ...row, payload: withoutSecrets(payload) }),
  }),
  store({
    name: 'refunds',
    about: 'what was paid back, or disputed, of those payments',
    table: refund,
    by: refund.payment,
    of: ({ payments }) => payments,
    columns: 'id payment amount status kind reason metadata createdAt',
  }),
  store({
    name: 'store_credit',
    about: 'store credit by currency, in minor units',
    table: creditWallet,
    by: creditWallet.account,
    of: ({ accounts }) => accounts,
    columns: 'account currency balance',
  }),
  store({
    name: 'store_credit_transactions',
    about: 'every movement of store credit, in minor units',
    table: creditTransaction,
    by: creditTransaction.account,
    of: ({ accounts }) => accounts,
    columns: 'id account currency type amount balanceAfter redemption payment refund at',
  }),
  store({
    name: 'tier_changes',
    about: 'every change of the tier, and why',
    table: tierChange,
    by: tierChange.account,
    of: ({ accounts }) => accounts,
    columns: 'id account fromTier toTier reason note createdAt',
  }),
  store({
    name: 'tier_spend',
    about: 'what payments count towards a tier, in minor units',
    table: tierSpend,
    by: tierSpend.account,
    of: ({ accounts }) => accounts,
    columns: 'payment account amount at',
  }),
  store({
    name: 'reported_events',
    about: 'what tills reported, and what came of it',
    table: reportedEvent,
    by: reportedEvent.id,
    of: ({ reportedEvents }) => reportedEvents,
    columns: `id eventId type account user outcomes points balanceAfter occurredAt reverses redemption`,
    points: 'points balanceAfter',
  }),
  store({
    name: 'reactor_activations',
    about: 'which rule of the shop’s answered which of them',
    table: reactorActivation,
    by: reactorActivation.event,
    of: ({ reportedEvents }) => reportedEvents,
    columns: 'event reactor at',
  }),
  store({
    name: 'requests',
    about: 'what was asked of this system about the member; kept for some weeks',
    table: request,
    by: request.resource,
    of: objectsOf,
    columns: 'id createdAt method route resource status errorCode body',
  }),
]
