import * as accounts from '../routes/accounts.ts'
import * as accountsTier from '../routes/accounts-tier.ts'
import * as apiKeys from '../routes/api-keys.ts'
import * as approvals from '../routes/approvals.ts'
import * as attention from '../routes/attention.ts'
import * as batchReversals from '../routes/batch-reversals.ts'
import * as codePools from '../routes/code-pools.ts'
import * as earningRules from '../routes/earning-rules.ts'
import * as earnings from '../routes/earnings.ts'
import * as eventTypes from '../routes/event-types.ts'
import * as events from '../routes/events.ts'
import * as identities from '../routes/identities.ts'
import * as imports from '../routes/imports.ts'
import * as liability from '../routes/liability.ts'
import * as lots from '../routes/lots.ts'
import * as memberships from '../routes/memberships.ts'
import * as payments from '../routes/payments.ts'
import * as paymentsReplayAward from '../routes/payments-replay-award.ts'
import * as personalData from '../routes/personal-data.ts'
import * as programs from '../routes/programs.ts'
import * as programsReconciliation from '../routes/programs-reconciliation.ts'
import * as quotes from '../routes/quotes.ts'
import * as reactors from '../routes/reactors.ts'
import * as redemptions from '../routes/redemptions.ts'
import * as refunds from '../routes/refunds.ts'
import * as reportedEvents from '../routes/reported-events.ts'
import * as requests from '../routes/requests.ts'
import * as rewards from '../routes/rewards.ts'
import * as rewardsCatalogue from '../routes/rewards-catalogue.ts'
import * as search from '../routes/search.ts'
import * as sessions from '../routes/sessions.ts'
import * as settings from '../routes/settings.ts'
import * as storeCredit from '../routes/store-credit.ts'
import * as teamMembers from '../routes/team-members.ts'
import * as timeline from '../routes/timeline.ts'
import * as transactions from '../routes/transactions.ts'
import * as upcoming from '../routes/upcoming.ts'
import * as users from '../routes/users.ts'
import * as webhookEndpoints from '../routes/webhook-endpoints.ts'
import * as webhookEndpointsDeliveries from '../routes/webhook-endpoints-deliveries.ts'
import * as receive from '../webhooks/receive.ts'
import type { Endpoint } from './declaration.ts'

/** Every endpoint of the product, as the documentation lists them. */
export const ENDPOINTS: readonly Endpoint[] = [
  accounts.createAccount,
  accounts.retrieveAccount,
  accounts.updateAccount,
  accounts.listAccounts,
  accounts.closeAccount,
  accounts.reopenAccount,
  accounts.mergeAccounts,
  accountsTier.setAccountTier,
  accountsTier.listTierChanges,
  timeline.listTimeline,
  personalData.exportAccount,
  personalData.eraseAccount,
  personalData.retrieveErasure,
  ...upcoming.upcoming,
  ...attention.attention,
  search.search,
  ...approvals.approvals,
  rewards.createReward,
  rewards.retrieveReward,
  rewards.updateReward,
  rewardsCatalogue.listRewards,
  rewards.archiveReward,
  rewards.unarchiveReward,
  redemptions.createRedemption,
  redemptions.retrieveRedemption,
  redemptions.listRedemptions,
  redemptions.cancelRedemption,
  redemptions.extendRedemption,
  redemptions.reverseRedemption,
  redemptions.fulfillRedemption,
  quotes.createQuote,
  codePools.createCodePool,
  codePools.retrieveCodePool,
  codePools.listCodePools,
  codePools.uploadCodes,
  storeCredit.retrieveStoreCredit,
  storeCredit.listStoreCreditTransactions,
  storeCredit.retrieveStoreCreditTransaction,
  liability.retrieveStoreCreditLiability,
  accounts.balanceAt,
  liability.retrieveLiability,
  liability.exportLiability,
  imports.createImport,
  imports.listImports,
  imports.retrieveImport,
  imports.pauseImport,
  imports.cancelImport,
  imports.resumeImport,
  batchReversals.reverseBatch,
  batchReversals.retrieveReversal,
  batchReversals.pauseReversal,
  batchReversals.resumeReversal,
  programs.createProgram,
  programs.listPrograms,
  programs.retrieveProgram,
  programs.updateProgram,
  transactions.createTransactions,
  transactions.reverseTransaction,
  transactions.createTransaction,
  transactions.retrieveTransaction,
  transactions.listTransactions,
  ...lots.lots,
  payments.createPayment,
  payments.retrievePayment,
  payments.listPayments,
  payments.confirmPayment,
  payments.cancelPayment,
  paymentsReplayAward.replayAward,
  refunds.createRefund,
  refunds.retrieveRefund,
  refunds.listRefunds,
  earningRules.createEarningRule,
  earningRules.retrieveEarningRule,
  earningRules.updateEarningRule,
  earningRules.listEarningRules,
  ...earnings.earnings,
  programsReconciliation.reconcileProgram,
  receive.receivePaymentEvent,
  receive.receiveEndpointEvent,
  events.retrieveEvent,
  events.listEvents,
  requests.retrieveRequest,
  requests.listRequests,
  webhookEndpoints.createWebhookEndpoint,
  webhookEndpoints.retrieveWebhookEndpoint,
  webhookEndpoints.updateWebhookEndpoint,
  webhookEndpoints.deleteWebhookEndpoint,
  webhookEndpoints.listWebhookEndpoints,
  webhookEndpoints.rollWebhookSecret,
  webhookEndpointsDeliveries.testWebhookEndpoint,
  webhookEndpointsDeliveries.replayWebhookEvents,
  webhookEndpointsDeliveries.listWebhookDeliveries,
  eventTypes.createEventType,
  eventTypes.retrieveEventType,
  eventTypes.updateEventType,
  eventTypes.listEventTypes,
  reactors.createReactor,
  reactors.retrieveReactor,
  reactors.updateReactor,
  reactors.deleteReactor,
  reactors.listReactors,
  reactors.dryRunReactor,
  ...reportedEvents.reportEvent,
  ...reportedEvents.confirmEvent,
  ...reportedEvents.cancelEvent,
  ...users.retrieveWallet,
  ...users.convertPoints,
  ...settings.retrieveSettings,
  ...settings.mergeSettings,
  ...users.lookUpMember,
  identities.registerIdentity,
  identities.listIdentities,
  identities.retrieveIdentity,
  identities.revokeIdentity,
  ...apiKeys.apiKeyRoutes,
  ...teamMembers.teamMemberRoutes,
  ...memberships.membershipRoutes,
  ...sessions.sessionRoutes,
]
