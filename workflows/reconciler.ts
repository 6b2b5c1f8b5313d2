import { patched, proxyActivities, setCurrentDetails } from '@temporalio/workflow'
import type { ReconcilerActivities, ReconcilerFindings } from '../activities/reconciler.ts'

const {
  mendRedemptions,
  mendPayments,
  mendInbox,
  mendEarnings,
  mendTiers,
  mendWebhooks,
  mendExpiries,
  mendBulks,
  mendFulfillments,
  mendOutbox,
  armTierReviews,
  forgetIdempotencyKeys,
  reconcileApprovals,
  keepRequestLog,
} = proxyActivities<ReconcilerActivities>({
  startToCloseTimeout: '50s',
  retry: { maximumAttempts: 2 }, // the next run of the schedule is the real retry
})

/**
 * Finds what a healthy system never leaves behind, each two minutes past its time (outbox rows one), and does
 * it. A kind that fails keeps no other from its turn; the run ends as failed once all had theirs. Its type and
 * its activities have the names that the release before published.
 */
export async function reconciler(): Promise<ReconcilerFindings> {
  const failures: Error[] = []
  const orZero = (kind: Promise<number>) =>
    kind.catch((error: unknown) => {
      failures.push(error instanceof Error ? error : new Error(String(error)))
      return 0
    })
  const hasOutbox = patched('outbox')
  const [
    redemptions,
    payments,
    inbox,
    earnings,
    tiers,
    webhooks,
    expiries,
    bulks,
    fulfillments,
    outbox,
    approvals,
  ] = await Promise.all([
    orZero(mendRedemptions()),
    orZero(mendPayments()),
    orZero(mendInbox()),
    orZero(mendEarnings()),
    orZero(mendTiers()),
    orZero(mendWebhooks()),
    orZero(mendExpiries()),
    orZero(mendBulks()),
    patched('fulfillments') ? orZero(mendFulfillments()) : 0,
    hasOutbox ? orZero(mendOutbox()) : 0,
    patched('approvals') ? orZero(reconcileApprovals()) : 0,
  ])
  if (!hasOutbox) await orZero(armTierReviews())
  await orZero(forgetIdempotencyKeys())
  if (patched('request-log')) await orZero(keepRequestLog())
  if (failures[0] !== undefined) throw failures[0]
  const findings = {
    redemptions,
    payments,
    inbox,
    earnings,
    tiers,
    webhooks,
    expiries,
    bulks,
    fulfillments,
    outbox,
    approvals,
  }
  setCurrentDetails(summaryOf(findings))
  return findings
}

const NAMES: readonly (readonly [keyof ReconcilerFindings, string])[] = [
  ['redemptions', 'overdue redemptions'],
  ['payments', 'expired payments'],
  ['inbox', 'payments with unprocessed events'],
  ['earnings', 'payments with pending points past their date'],
  ['tiers', 'overdue tier reviews and walks'],
  ['webhooks', 'endpoints with overdue deliveries'],
  ['expiries', 'accounts with overdue expiries'],
  ['bulks', 'stalled imports or reversals'],
  ['fulfillments', 'overdue fulfilments'],
  ['outbox', 'outbox rows that nobody sent'],
  ['approvals', 'approvals with an overdue reminder or end'],
]

function summaryOf(findings: ReconcilerFindings): string {
  const found = NAMES.filter(([kind]) => findings[kind] > 0)
  if (found.length === 0) return 'Nothing was past its time.'
  return `Found and done: ${found.map(([kind, name]) => `${findings[kind]} ${name}`).join(', ')}.`
}
