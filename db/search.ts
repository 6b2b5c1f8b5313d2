import { type SQL, sql } from 'drizzle-orm'
import { MOST_HITS, type SearchMatch, type SearchObject } from '../domain/search.ts'
import type { Pool } from './pool.ts'
import { inWorkspace } from './workspace-client.ts'

export type SearchHit = {
  object: SearchObject
  id: string
  matched: SearchMatch
  /** What a person knows it by, where it has such a thing. */
  label: string | null
}

type Asked = { readonly workspace: string; readonly term: string }
type Branch = {
  readonly object: SearchObject
  readonly matched: SearchMatch
  /** Rows of `id` and `label` and `at`, each by an index. */
  readonly from: (asked: Asked) => SQL
}

/** Objects of one kind that share a customer or an order are many: the newest of them. */
const MOST_OF_A_KIND = 5

/** Everything that the term names, exactly, of the kinds in `readable`: what was named by its id comes first. */
export const findNamed = (
  pool: Pool,
  workspace: string,
  term: string,
  readable: (object: SearchObject) => boolean,
): Promise<SearchHit[]> =>
  inWorkspace(pool, workspace, async (db) => {
    const prefix = /^([a-z]+)_/.exec(term)?.[1] ?? ''
    const branches = [...(BY_PREFIX[prefix] ?? []), ...NAMED, ...(isLast4(term) ? BY_LAST4 : [])]
    const parts = branches
      .filter(({ object }) => readable(object))
      .map(
        ({ object, matched, from }, rank) =>
          sql`(select ${object}::text as object, ${matched}::text as matched, ${rank}::int as rank, x.*
            from (${from({ workspace, term })}) x limit ${MOST_OF_A_KIND})`,
      )
    if (parts.length === 0) return []
    const { rows } = await db.execute<SearchHit>(sql`
      select object, id, matched, label from (
        select distinct on (object, id) * from (${sql.join(parts, sql` union all `)}) found
        order by object, id, rank) once
      order by rank, at desc nulls last, id limit ${MOST_HITS}`)
    return rows
  })

const isLast4 = (term: string): boolean => /^[0-9A-Za-z]{4}$/.test(term)

/** By the primary key of a table. Tables and columns are this file's own words. */
function byId(
  object: SearchObject,
  table: string,
  label: string,
  where = 'true',
  at = 'created_at',
): Branch {
  const from = ({ workspace, term }: Asked) => sql`
    select id, ${sql.raw(label)}::text as label, ${sql.raw(at)} as at from ${sql.raw(table)}
    where workspace = ${workspace} and id = ${term} and ${sql.raw(where)}`
  return { object, matched: 'id', from }
}

const BY_PREFIX: Readonly<Record<string, readonly Branch[]>> = {
  loy: [byId('loyalty_account', 'account', 'customer')],
  tch: [byId('tier_change', 'tier_change', 'to_tier')],
  rdm: [byId('redemption', 'redemption', 'code')],
  ptx: [byId('points_transaction', 'ptx', 'type')],
  ctx: [byId('store_credit_transaction', 'credit_transaction', 'type')],
  rwd: [byId('reward', 'reward', 'name')],
  cpl: [byId('code_pool', 'code_pool', 'name')],
  prog: [byId('loyalty_program', 'program', 'name')],
  erl: [byId('earning_rule', 'earning_rule', 'name')],
  imp: [byId('import', 'bulk', 'batch', `kind = 'import'`)],
  brv: [byId('batch_reversal', 'bulk', 'batch', `kind = 'reversal'`)],
  ety: [byId('event_type', 'event_type', 'name')],
  rct: [byId('reactor', 'reactor', 'name', 'deleted_at is null')],
  evt: [byId('event', 'event', 'type')],
  req: [byId('request', 'request', `method || ' ' || route`)],
  we: [byId('webhook_endpoint', 'webhook_endpoint', 'url', 'deleted_at is null')],
  dlv: [byId('webhook_delivery', 'webhook_delivery', 'status')],
  att: [byId('attention_item', 'attention', 'kind', 'true', 'since')],
  key: [byId('api_key', 'api_key', 'name')],
  usr: [
    {
      object: 'team_member',
      matched: 'id',
      from: ({ workspace, term }) => sql`
        select person.id, person.email as label, person.created_at as at from team_member person
        join membership on membership.user_id = person.id and membership.workspace = ${workspace}
          and membership.removed_at is null
        where person.id = ${term}`,
    },
  ],
  idn: [
    {
      object: 'loyalty_account',
      matched: 'id',
      from: ({ workspace, term }) => sql`
        select account.id, account.customer as label, account.created_at as at
        from member_identity identity
        join account on account.workspace = ${workspace} and account.id = identity.account
        where identity.workspace = ${workspace} and identity.id = ${term}`,
    },
  ],
  gcc: [
    {
      object: 'redemption',
      matched: 'id',
      from: ({ workspace, term }) => sql`
        select redemption as id, '… ' || last4 as label, given_at as at from gift_code
        where workspace = ${workspace} and id = ${term} and redemption is not null`,
    },
  ],
}

/** An order number as shops write it: with a # or without. */
const orderNumbers = (term: string): SQL =>
  sql`(left(${term}, 200), left(ltrim(${term}, '#'), 200))`

const NAMED: readonly Branch[] = [
  // Payments and refunds have their provider's ids.
  byId('payment', 'payment', 'coalesce(order_number, customer)'),
  byId('refund', 'refund', 'payment'),
  {
    object: 'loyalty_account',
    matched: 'external_id',
    from: ({ workspace, term }) => sql`
      select account.id, account.customer as label, account.created_at as at
      from member_identity identity
      join account on account.workspace = ${workspace} and account.id = identity.account
      where identity.workspace = ${workspace} and identity.kind = 'external_id'
        and identity.value = ${term} and identity.revoked_at is null`,
  },
  {
    object: 'loyalty_account',
    matched: 'customer',
    from: ({ workspace, term }) => sql`
      select id, customer as label, created_at as at from account
      where workspace = ${workspace} and customer = ${term} order by created_at desc`,
  },
  {
    object: 'redemption',
    matched: 'code',
    from: ({ workspace, term }) => sql`
      select id, code as label, created_at as at from redemption
      where workspace = ${workspace} and code in (${term}, upper(${term}))`,
  },
  {
    object: 'payment',
    matched: 'order_number',
    from: ({ workspace, term }) => sql`
      select id, order_number as label, created_at as at from payment
      where workspace = ${workspace} and order_number in ${orderNumbers(term)}
      order by created_at desc`,
  },
  {
    object: 'payment',
    matched: 'invoice',
    from: ({ workspace, term }) => sql`
      select id, invoice as label, created_at as at from payment
      where workspace = ${workspace} and invoice = ${term} order by created_at desc`,
  },
  {
    object: 'payment',
    matched: 'provider_event',
    // an event's id is its endpoint's own; of those there are a few
    from: ({ workspace, term }) => sql`
      select payment.id, event.type as label, payment.created_at as at
      from (select ''::text collate "C" as id union all
        select id from payment_secret where workspace = ${workspace}) endpoint
      join inbox event on event.workspace = ${workspace} and event.endpoint = endpoint.id
        and event.id = ${term}
      join payment on payment.workspace = ${workspace} and payment.id = event.payment`,
  },
  {
    object: 'payment',
    matched: 'customer',
    from: ({ workspace, term }) => sql`
      select id, coalesce(order_number, customer) as label, created_at as at from payment
      where workspace = ${workspace} and customer = ${term} order by created_at desc`,
  },
  {
    object: 'import',
    matched: 'batch',
    from: ({ workspace, term }) => sql`
      select id, batch as label, created_at as at from bulk
      where workspace = ${workspace} and batch = ${term} and kind = 'import'
      order by created_at desc`,
  },
  {
    object: 'team_member',
    matched: 'email',
    from: ({ workspace, term }) => sql`
      select person.id, person.email as label, person.created_at as at from team_member person
      join membership on membership.user_id = person.id and membership.workspace = ${workspace}
        and membership.removed_at is null
      where person.email = lower(${term})`,
  },
]

/** Of a gift card no more is shown than its last four. */
const BY_LAST4: readonly Branch[] = [
  {
    object: 'redemption',
    matched: 'last4',
    from: ({ workspace, term }) => sql`
      select redemption as id, '… ' || last4 as label, given_at as at from gift_code
      where workspace = ${workspace} and last4 in (${term}, upper(${term}))
        and redemption is not null
      order by id desc`,
  },
]
