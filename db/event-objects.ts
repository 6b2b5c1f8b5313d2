import { and, eq, inArray, sql } from 'drizzle-orm'
import { accountObject } from '../domain/account.ts'
import { approvalObject } from '../domain/approval.ts'
import { eventObject } from '../domain/event.ts'
import { type LiabilityFacts, liabilityObject } from '../domain/liability.ts'
import { paymentObject } from '../domain/payment.ts'
import { pointsOf } from '../domain/points.ts'
import { redemptionObject } from '../domain/redemption.ts'
import { creditObject, type IssuedCredit } from '../domain/store-credit.ts'
import { transactionObject } from '../domain/transaction.ts'
import { endpointObject } from '../domain/webhook-endpoint.ts'
import { type EventRow, readEventTransactions } from './events.ts'
import type { Pool } from './pool.ts'
import { listPrograms } from './programs.ts'
import { account, approval, redemption, webhookEndpoint } from './schema/index.ts'
import {
  fromSnapshot,
  readPayment,
  readRedemption,
  readTransaction,
  type Snapshot,
} from './snapshot.ts'
import type { TransactionRow } from './transactions.ts'
import { inWorkspace } from './workspace-client.ts'

type Scales = { livemode: boolean; decimalsOf: (program: unknown) => number }
type Present = (snapshot: Snapshot, scales: Scales) => Readonly<Record<string, unknown>>

/** How the snapshot of each kind of object is shown; what is not here is shown as it was stored. */
const PRESENT: ReadonlyMap<string, Present> = new Map(
  Object.entries<Present>({
    loy: (snapshot, scales) =>
      accountObject(fromSnapshot(account, snapshot), scaleOf(snapshot, scales)),
    rdm: (snapshot, scales) =>
      redemptionObject(readRedemption(snapshot), scaleOf(snapshot, scales)),
    ptx: (snapshot, scales) =>
      transactionObject(readTransaction(snapshot), scaleOf(snapshot, scales)),
    pay: (snapshot, { livemode }) => paymentObject(readPayment(snapshot), livemode),
    crd: (snapshot, { livemode }) => creditObject(snapshot as IssuedCredit, livemode), // as `credit_issue` wrote it
    apr: (snapshot, { livemode }) => approvalObject(fromSnapshot(approval, snapshot), livemode),
    we: (snapshot, { livemode }) =>
      endpointObject(fromSnapshot(webhookEndpoint, snapshot), livemode),
  }),
)

/** Facts that are no object of their own, by the event's type. */
const PRESENT_FACT: ReadonlyMap<string, Present> = new Map(
  Object.entries<Present>({
    'loyalty.points.expiring': (snapshot, scales) => ({
      ...snapshot,
      points: pointsOf(Number(snapshot.points), scaleOf(snapshot, scales).decimals),
      expires_at: new Date(String(snapshot.expires_at)).toISOString(),
    }),
    'program.liability.snapshot': (snapshot) => ({
      program: snapshot.program,
      ...liabilityObject(snapshot as LiabilityFacts), // as `liability_snapshot` wrote it
    }),
  }),
)

/** A reported event, which is its own object: what the till sent, and when it happened. */
const presentReported: Present = (snapshot) => ({
  ...snapshot,
  occurred_at: new Date(String(snapshot.occurred_at)).toISOString(),
})

/**
 * Events as the API and webhooks show them, each with its object as it was then: the same
 * text however often and however late it is asked for, but for a name and an address that its
 * redemption no longer has.
 */
export async function readEventObjects(
  pool: Pool,
  { workspace, livemode }: { workspace: string; livemode: boolean },
  stored: readonly EventRow[],
) {
  if (stored.length === 0) return []
  const rows = await withShipping(pool, workspace, stored)
  const transactions = rows.flatMap(({ data, object }) => (data === null ? [object] : []))
  const [programs, posted] = await Promise.all([
    listPrograms(pool, workspace),
    readEventTransactions(pool, workspace, transactions),
  ])
  const decimals = new Map(programs.map((row) => [row.id, row.decimals]))
  const scales = {
    livemode,
    decimalsOf: (program: unknown) => decimals.get(String(program)) ?? 0,
  }
  return rows.map((row) => presentEvent(row, posted.get(row.object), scales))
}

function presentEvent(row: EventRow, posted: TransactionRow | undefined, scales: Scales) {
  const { livemode, decimalsOf } = scales
  if (row.data === null) {
    if (posted === undefined) throw new Error(`event ${row.id}: there is no ${row.object}`)
    const scale = { livemode, decimals: decimalsOf(posted.program) }
    const fact = { ...row, actor: posted.actor }
    return eventObject(fact, livemode, transactionObject(posted, scale), null)
  }
  const kind = row.object.split('_', 1)[0] ?? ''
  const show = row.object === row.id ? presentReported : presenterOf(row.type, kind)
  const before = row.previous === null ? null : show({ ...row.data, ...row.previous }, scales)
  return eventObject(row, livemode, show(row.data, scales), before)
}

const presenterOf = (type: string, kind: string): Present =>
  PRESENT_FACT.get(type) ?? PRESENT.get(kind) ?? ((snapshot) => snapshot)

const scaleOf = (snapshot: Snapshot, { livemode, decimalsOf }: Scales) => ({
  livemode,
  decimals: decimalsOf(snapshot.program),
})

export type EventObject = Awaited<ReturnType<typeof readEventObjects>>[number]

/**
 * The same events with the names and addresses that `event_data` left in their redemptions; null where
 * they are there no more. Where no event refers to one nothing is asked.
 */
async function withShipping(
  pool: Pool,
  workspace: string,
  rows: readonly EventRow[],
): Promise<EventRow[]> {
  const ids = rows.flatMap((row) => [referenceIn(row.data), referenceIn(row.previous)])
  const wanted = [...new Set(ids.filter((id) => id !== undefined))]
  if (wanted.length === 0) return [...rows]
  const kept = await inWorkspace(pool, workspace, (db) =>
    db
      .select({
        id: redemption.id,
        shipping: sql<unknown>`${redemption.fulfillment} -> 'shipping'`,
      })
      .from(redemption)
      .where(and(eq(redemption.workspace, workspace), inArray(redemption.id, wanted))),
  )
  const shipping = new Map(kept.map((one) => [one.id, one.shipping]))
  const filled = (data: Snapshot | null): Snapshot | null => {
    const id = referenceIn(data)
    const fulfillment = data?.fulfillment
    if (id === undefined || typeof fulfillment !== 'object') return data
    return { ...data, fulfillment: { ...fulfillment, shipping: shipping.get(id) ?? null } }
  }
  return rows.map((row) => ({ ...row, data: filled(row.data), previous: filled(row.previous) }))
}

function referenceIn(data: Snapshot | null): string | undefined {
  const shipping = member(member(data, 'fulfillment'), 'shipping')
  const id = member(shipping, 'redemption')
  return typeof id === 'string' ? id : undefined
}

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
