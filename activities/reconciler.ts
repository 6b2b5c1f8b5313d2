import { type ReconcilerFindings, reconcilerCommands } from '../app/reconciler.ts'

export type { ReconcilerFindings }

export type ReconcilerActivities = ReturnType<typeof reconcilerActivities>

/** What the reconciler does, under the names that the releases before published. */
export function reconcilerActivities(dependencies: Parameters<typeof reconcilerCommands>[0]) {
  const commands = reconcilerCommands(dependencies)
  return {
    mendRedemptions: commands.reconcileRedemptions,
    mendFulfillments: commands.reconcileFulfillments,
    mendPayments: commands.reconcilePayments,
    mendInbox: commands.reconcileInbox,
    mendTiers: commands.reconcileTiers,
    mendEarnings: commands.reconcileEarnings,
    mendWebhooks: commands.reconcileWebhooks,
    mendExpiries: commands.reconcileExpiries,
    mendBulks: commands.reconcileBulks,
    mendOutbox: commands.reconcileOutbox,
    forgetIdempotencyKeys: async (): Promise<number> =>
      (await commands.forgetIdempotencyKeys()) +
      (await commands.forgetPeople()) +
      (await commands.forgetPayloads()),
    reconcileApprovals: commands.reconcileApprovals,
    keepRequestLog: commands.keepRequestLog,
    /** Called by a run of the release before: the outbox starts reviews. */
    armTierReviews: async (): Promise<number> => 0,
  }
}
