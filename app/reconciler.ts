import { overdueTierReviews, reviewAccountTier } from '../db/account-changes.ts'
import { resumeBulk, stalledBulks } from '../db/bulk.ts'
import { forgetDeadUploads } from '../db/bulk-uploads.ts'
import { databaseNow } from '../db/clock.ts'
import { dueExpiries, expireAccount } from '../db/expiry.ts'
import { requestPartitionsCreate, requestPartitionsDrop } from '../db/ledger.gen.ts'
import type { Pool } from '../db/pool.ts'
import {
  expiredPayments,
  forgetKeys,
  makeOutboxDue,
  maturingEarnings,
  overdueFulfillments,
  overdueRedemptions,
  reconcilerClock,
  resumeFulfillment,
  undeliveredEndpoints,
  unprocessedPayments,
} from '../db/reconciler.ts'
import { resumeReassessment, stalledReassessments } from '../db/tier-reassessment.ts'
import type { OnFailure } from '../domain/failure.ts'
import { signalEndpoint } from '../temporal/endpoint-signals.ts'
import { isExpiryBatchRunning } from '../temporal/schedules.ts'
import type { Dependencies } from './dependencies.ts'
import { failuresToStandardError } from './failures.ts'
import { fulfillmentCommands } from './fulfillments.ts'
import { paymentCommands } from './payments.ts'
import { redemptionCommands } from './redemptions.ts'
import { workOff } from './rows.ts'

// What is late by less than this has its own timer still on the way.
const GRACE_MS = 120_000
// An outbox row is sent within milliseconds, by the sweep within seconds, and one whose claim was lost after 30 s.
const OUTBOX_GRACE_MS = 60_000
// One run does at most so many of a kind; the next minute takes the rest.
const BATCH = 500
// And begins no further page after this: the activity has 50 s.
const TURN_MS = 30_000
// Dead uploads removed in one run: the rows of the largest file take a second.
const UPLOADS = 10
const DAY_MS = 24 * 3_600_000
const KEY_LIFETIME_MS = DAY_MS
const REQUEST_LOG_DAYS = 30

export type ReconcilerFindings = {
  redemptions: number
  payments: number
  inbox: number
  earnings: number
  tiers: number
  webhooks: number
  expiries: number
  bulks: number
  fulfillments: number
  outbox: number
}

type Row = { workspace: string }
/** Finds what is overdue since `before` (ISO 8601), the longest overdue first. */
type Overdue<R> = (pool: Pool, before: string, limit: number, skip: number) => Promise<R[]>

type Reconciling = Pick<Dependencies, 'pool'> & {
  reconciled: (kind: keyof ReconcilerFindings, count: number) => void
  onFailure: OnFailure
}

/**
 * Finds the overdue rows of a kind and does them, each on its own; how many it found. `remains`: what was done is
 * found again until its own run, which is only signalled, gets to it.
 */
function reconciling({ pool, reconciled, onFailure }: Reconciling) {
  return async <R extends Row & Record<string, string>>(
    kind: keyof ReconcilerFindings,
    overdue: Overdue<R>,
    act: (row: R, now: string) => Promise<unknown>,
    { remains = false } = {},
  ): Promise<number> => {
    const { now, before } = await reconcilerClock(pool, GRACE_MS)
    const { done, passedOver } = await workOff<R>(
      (limit, skip) => overdue(pool, before, limit, skip),
      (row) => act(row, now),
      {
        kind: `net_${kind}`,
        onFailure,
        most: BATCH,
        untilMs: performance.now() + TURN_MS,
        remains,
      },
    )
    reconciled(kind, done + passedOver)
    return done + passedOver
  }
}

type Reconcile = ReturnType<typeof reconciling>

/**
 * Finds what is past its time and not done, and does it, by the commands that should have. Counts what it
 * finds. Each row is done on its own: see `workOff`. A run that was terminated begins again, where it still
 * has something to wait for, by the outbox row that is written with what was done.
 */
export function reconcilerCommands(dependencies: Dependencies & Pick<Reconciling, 'reconciled'>) {
  const {
    pool,
    engine,
    reconciled,
    onFailure = failuresToStandardError,
    requestLogDays = REQUEST_LOG_DAYS,
  } = dependencies
  const reconcile = reconciling({ pool, reconciled, onFailure })

  return {
    ...ofRedemptions(dependencies, reconcile),
    ...ofPayments(dependencies, reconcile),

    /** Reviews past their date, and walks over a program's members that nobody goes on with. */
    reconcileTiers: async (): Promise<number> => {
      const reviews = await reconcile('tiers', overdueTierReviews, ({ workspace, id }, at) =>
        reviewAccountTier(pool, workspace, id, at, { resume: true }),
      )
      const walks = await reconcile(
        'tiers',
        stalledReassessments,
        ({ workspace, program }) => resumeReassessment(pool, workspace, program),
        { remains: true },
      )
      return reviews + walks
    },

    /** Endpoints with deliveries overdue, whose signal was lost: counted by endpoint. */
    reconcileWebhooks: (): Promise<number> =>
      reconcile('webhooks', undeliveredEndpoints, (endpoint) => signalEndpoint(engine, endpoint), {
        remains: true,
      }),

    /** Warnings and expiries whose run was lost, with any explicit date; a batch at work is no such thing. */
    reconcileExpiries: async (): Promise<number> => {
      if (await isExpiryBatchRunning(engine)) return 0
      return reconcile('expiries', dueExpiries, ({ workspace, account }, at) =>
        expireAccount(pool, workspace, account, at, { resume: true }),
      )
    },

    /**
     * Imports and reversals that nobody works on: their run is started again, or signalled. And files
     * whose process died while it read them: what was kept of them is removed.
     */
    reconcileBulks: async (): Promise<number> => {
      const stalled = await reconcile(
        'bulks',
        stalledBulks,
        ({ workspace, bulk }) => resumeBulk(pool, workspace, bulk),
        {
          remains: true,
        },
      )
      const dead = await forgetDeadUploads(pool, UPLOADS)
      reconciled('bulks', dead)
      return stalled + dead
    },

    /** Rows of the outbox that nobody sends: they are due at once, and the sweep takes them. */
    reconcileOutbox: async (): Promise<number> => {
      const { before } = await reconcilerClock(pool, OUTBOX_GRACE_MS)
      const overdue = await makeOutboxDue(pool, before, BATCH)
      reconciled('outbox', overdue)
      return overdue
    },

    forgetIdempotencyKeys: async (): Promise<number> => forgetKeys(pool, KEY_LIFETIME_MS),

    /** The request log's next days are made, and those that are past their time dropped; how many of both. */
    keepRequestLog: async (): Promise<number> => {
      const now = await databaseNow(pool)
      const made = requestLogDays > 0 ? await requestPartitionsCreate(pool, { at: now }) : 0
      const before = new Date(now.getTime() - requestLogDays * DAY_MS)
      return made + (await requestPartitionsDrop(pool, { before }))
    },
  }
}

function ofRedemptions(dependencies: Dependencies, reconcile: Reconcile) {
  const { releaseDueRedemption } = redemptionCommands(dependencies)
  const { actOnOverdueFulfillment } = fulfillmentCommands(dependencies)
  return {
    reconcileRedemptions: (): Promise<number> =>
      reconcile('redemptions', overdueRedemptions, ({ workspace, id }, at) =>
        releaseDueRedemption({ workspace, redemption: id, at }),
      ),

    reconcileFulfillments: (): Promise<number> =>
      reconcile('fulfillments', overdueFulfillments, async ({ workspace, id }, at) => {
        await actOnOverdueFulfillment({ workspace, redemption: id, at })
        await resumeFulfillment(dependencies.pool, workspace, id)
      }),
  }
}

function ofPayments(dependencies: Dependencies, reconcile: Reconcile) {
  const { expirePayment, processPayment } = paymentCommands(dependencies)
  return {
    reconcilePayments: (): Promise<number> =>
      reconcile('payments', expiredPayments, ({ workspace, payment }, at) =>
        expirePayment({ workspace, payment, at }),
      ),

    reconcileInbox: (): Promise<number> =>
      reconcile('inbox', unprocessedPayments, ({ workspace, payment }, at) =>
        processPayment({ workspace, payment, at }),
      ),

    reconcileEarnings: (): Promise<number> =>
      reconcile('earnings', maturingEarnings, ({ workspace, source }, at) =>
        processPayment({ workspace, payment: source, at }),
      ),
  }
}
