import { databaseNow } from '../db/clock.ts'
import {
  accountExpire,
  approvalAdvance,
  approvalsOverdue,
  bulkOutbox,
  bulksStalled,
  bulkUploadsForgetDead,
  earningsOverdue,
  endpointsUndelivered,
  erasureOutbox,
  erasuresStalled,
  expiryChecksOverdue,
  fulfillmentResume,
  fulfillmentsOverdue,
  idempotencyForget,
  inboxPayloadsForget,
  outboxMakeDue,
  paymentsOverdue,
  paymentsUnprocessed,
  peopleForget,
  reassessmentsStalled,
  redemptionsOverdue,
  requestPartitionsCreate,
  requestPartitionsDrop,
  tierReassessOutbox,
  tierReview,
  tierReviewsOverdue,
} from '../db/ledger.gen.ts'
import { signalEndpoint } from '../temporal/endpoint-signals.ts'
import { isExpiryBatchRunning } from '../temporal/schedules.ts'
import type { Dependencies } from './dependencies.ts'
import { failuresToStandardError } from './failures.ts'
import { fulfillmentCommands } from './fulfillments.ts'
import { paymentCommands } from './payments.ts'
import {
  BATCH,
  type Reconcile,
  type ReconcilerFindings,
  type Reconciling,
  reconciling,
} from './reconciling.ts'
import { redemptionCommands } from './redemptions.ts'

// An outbox row is sent within milliseconds, by the sweep within seconds, and one whose claim was lost after 30 s.
const OUTBOX_GRACE_MS = 60_000
// Dead uploads removed in one run: the rows of the largest file take a second.
const UPLOADS = 10
const DAY_MS = 24 * 3_600_000
const KEY_LIFETIME_MS = DAY_MS
const REQUEST_LOG_DAYS = 30
const INBOX_PAYLOAD_DAYS = 30
// Payloads forgotten by one run: a million a day and more.
const PAYLOADS = 2_000

export type { ReconcilerFindings }

const earlier = (now: Date, byMs: number): Date => new Date(now.getTime() - byMs)

/**
 * Finds what is past its time and not done, and does it, by the commands that should have. Counts what it
 * finds. Each row is done on its own: see `workOff`. A run that was terminated begins again, where it still
 * has something to wait for, by the outbox row that is written with what was done.
 */
export function reconcilerCommands(dependencies: Dependencies & Pick<Reconciling, 'reconciled'>) {
  const { pool, engine, reconciled, onFailure = failuresToStandardError } = dependencies
  const reconcile = reconciling({ pool, reconciled, onFailure })

  return {
    ...ofRedemptions(dependencies, reconcile),
    ...ofApprovals(dependencies, reconcile),
    ...ofPayments(dependencies, reconcile),
    ...ofRetention(dependencies),

    /** Reviews past their date, and walks over a program's members that nobody goes on with. */
    reconcileTiers: async (): Promise<number> => {
      const reviews = await reconcile('tiers', tierReviewsOverdue, ({ workspace, id }, at) =>
        tierReview(pool, { workspace, account: id, at, resume: true }),
      )
      const walks = await reconcile(
        'tiers',
        reassessmentsStalled,
        (walk) => tierReassessOutbox(pool, walk),
        { remains: true },
      )
      return reviews + walks
    },

    /** Endpoints with deliveries overdue, whose signal was lost: counted by endpoint. */
    reconcileWebhooks: (): Promise<number> =>
      reconcile('webhooks', endpointsUndelivered, (endpoint) => signalEndpoint(engine, endpoint), {
        remains: true,
      }),

    /** Warnings and expiries whose run was lost, with any explicit date; a batch at work is no such thing. */
    reconcileExpiries: async (): Promise<number> => {
      if (await isExpiryBatchRunning(engine)) return 0
      return reconcile('expiries', expiryChecksOverdue, ({ workspace, account }, at) =>
        accountExpire(pool, { workspace, account, at, resume: true }),
      )
    },

    /**
     * Imports, reversals and erasures that nobody works on: their run is started again, or signalled. And files
     * whose process died while it read them: what was kept of them is removed.
     */
    reconcileBulks: async (): Promise<number> => {
      const stalled = await reconcile('bulks', bulksStalled, (bulk) => bulkOutbox(pool, bulk), {
        remains: true,
      })
      const erasures = await reconcile(
        'bulks',
        erasuresStalled,
        (one) => erasureOutbox(pool, one),
        {
          remains: true,
        },
      )
      const dead = await bulkUploadsForgetDead(pool, { limit: UPLOADS })
      reconciled('bulks', dead)
      return stalled + erasures + dead
    },

    /** Rows of the outbox that nobody sends: they are due at once, and the sweep takes them. */
    reconcileOutbox: async (): Promise<number> => {
      const before = earlier(await databaseNow(pool), OUTBOX_GRACE_MS)
      const overdue = await outboxMakeDue(pool, { before, limit: BATCH })
      reconciled('outbox', overdue)
      return overdue
    },
  }
}

function ofApprovals({ pool }: Dependencies, reconcile: Reconcile) {
  return {
    /** Approvals whose reminder or end is past, because their run was lost. */
    reconcileApprovals: (): Promise<number> =>
      reconcile('approvals', approvalsOverdue, ({ workspace, id }, at) =>
        approvalAdvance(pool, { workspace, id, at, resume: true }),
      ),
  }
}

function ofRedemptions(dependencies: Dependencies, reconcile: Reconcile) {
  const { releaseDueRedemption } = redemptionCommands(dependencies)
  const { actOnOverdueFulfillment } = fulfillmentCommands(dependencies)
  return {
    reconcileRedemptions: (): Promise<number> =>
      reconcile('redemptions', redemptionsOverdue, ({ workspace, id }, at) =>
        releaseDueRedemption({ workspace, redemption: id, at }),
      ),

    reconcileFulfillments: (): Promise<number> =>
      reconcile('fulfillments', fulfillmentsOverdue, async ({ workspace, id }, at) => {
        await actOnOverdueFulfillment({ workspace, redemption: id, at })
        await fulfillmentResume(dependencies.pool, { workspace, id })
      }),
  }
}

function ofPayments(dependencies: Dependencies, reconcile: Reconcile) {
  const { expirePayment, processPayment } = paymentCommands(dependencies)
  return {
    reconcilePayments: (): Promise<number> =>
      reconcile('payments', paymentsOverdue, ({ workspace, payment }, at) =>
        expirePayment({ workspace, payment, at }),
      ),

    reconcileInbox: (): Promise<number> =>
      reconcile('inbox', paymentsUnprocessed, ({ workspace, payment }, at) =>
        processPayment({ workspace, payment, at }),
      ),

    reconcileEarnings: (): Promise<number> =>
      reconcile('earnings', earningsOverdue, ({ workspace, source }, at) =>
        processPayment({ workspace, payment: source, at }),
      ),
  }
}

/** What is kept for a time and no longer. */
function ofRetention({
  pool,
  requestLogDays = REQUEST_LOG_DAYS,
  inboxPayloadDays = INBOX_PAYLOAD_DAYS,
}: Dependencies) {
  return {
    forgetIdempotencyKeys: async (): Promise<number> =>
      idempotencyForget(pool, { before: earlier(await databaseNow(pool), KEY_LIFETIME_MS) }),

    /** What people signed in with and need no longer, and failed attempts of before; how many rows. */
    forgetPeople: async (): Promise<number> => peopleForget(pool, { at: await databaseNow(pool) }),

    /** What provider events said is forgotten after its days; how many events. */
    forgetPayloads: async (): Promise<number> => {
      const before = earlier(await databaseNow(pool), inboxPayloadDays * DAY_MS)
      return inboxPayloadsForget(pool, { before, limit: PAYLOADS })
    },

    /** The request log's next days are made, and those that are past their time dropped; how many of both. */
    keepRequestLog: async (): Promise<number> => {
      const now = await databaseNow(pool)
      const made = requestLogDays > 0 ? await requestPartitionsCreate(pool, { at: now }) : 0
      const before = new Date(now.getTime() - requestLogDays * DAY_MS)
      return made + (await requestPartitionsDrop(pool, { before }))
    },
  }
}
