import {
  balanceAt,
  closeAccount,
  createAccount,
  listAccounts,
  mergeAccounts,
  reopenAccount,
  retrieveAccount,
  updateAccount,
} from '../routes/accounts.ts'
import { listTierChanges, setAccountTier } from '../routes/accounts-tier.ts'
import {
  createApiKey,
  listApiKeys,
  retrieveApiKey,
  revokeApiKey,
  rollApiKey,
  updateApiKey,
} from '../routes/api-keys.ts'
import {
  pauseReversal,
  resumeReversal,
  retrieveReversal,
  reverseBatch,
} from '../routes/batch-reversals.ts'
import {
  createCodePool,
  listCodePools,
  retrieveCodePool,
  uploadCodes,
} from '../routes/code-pools.ts'
import {
  createEarningRule,
  listEarningRules,
  retrieveEarningRule,
  updateEarningRule,
} from '../routes/earning-rules.ts'
import { earnings } from '../routes/earnings.ts'
import {
  createEventType,
  listEventTypes,
  retrieveEventType,
  updateEventType,
} from '../routes/event-types.ts'
import { listEvents, retrieveEvent } from '../routes/events.ts'
import {
  listIdentities,
  registerIdentity,
  retrieveIdentity,
  revokeIdentity,
} from '../routes/identities.ts'
import {
  cancelImport,
  createImport,
  listImports,
  pauseImport,
  resumeImport,
  retrieveImport,
} from '../routes/imports.ts'
import {
  exportLiability,
  retrieveLiability,
  retrieveStoreCreditLiability,
} from '../routes/liability.ts'
import { lots } from '../routes/lots.ts'
import { lookUpMember } from '../routes/members-lookup.ts'
import {
  cancelPayment,
  confirmPayment,
  createPayment,
  listPayments,
  retrievePayment,
} from '../routes/payments.ts'
import { replayAward } from '../routes/payments-replay-award.ts'
import { createProgram, listPrograms, retrieveProgram, updateProgram } from '../routes/programs.ts'
import { reconcileProgram } from '../routes/programs-reconciliation.ts'
import { createQuote } from '../routes/quotes.ts'
import {
  createReactor,
  deleteReactor,
  dryRunReactor,
  listReactors,
  retrieveReactor,
  updateReactor,
} from '../routes/reactors.ts'
import {
  cancelRedemption,
  createRedemption,
  extendRedemption,
  fulfillRedemption,
  listRedemptions,
  retrieveRedemption,
  reverseRedemption,
} from '../routes/redemptions.ts'
import { createRefund, listRefunds, retrieveRefund } from '../routes/refunds.ts'
import { cancelEvent, confirmEvent, reportEvent } from '../routes/reported-events.ts'
import { listRequests, retrieveRequest } from '../routes/requests.ts'
import { listRewards, retrieveReward } from '../routes/rewards.ts'
import { archiveReward, unarchiveReward } from '../routes/rewards-archive.ts'
import { createReward } from '../routes/rewards-create.ts'
import { updateReward } from '../routes/rewards-update.ts'
import { mergeSettings, retrieveSettings } from '../routes/settings.ts'
import {
  listStoreCreditTransactions,
  retrieveStoreCredit,
  retrieveStoreCreditTransaction,
} from '../routes/store-credit.ts'
import { listTimeline } from '../routes/timeline.ts'
import {
  createTransaction,
  createTransactions,
  listTransactions,
  retrieveTransaction,
  reverseTransaction,
} from '../routes/transactions.ts'
import { upcoming } from '../routes/upcoming.ts'
import { convertPoints, retrieveWallet } from '../routes/users.ts'
import {
  createWebhookEndpoint,
  deleteWebhookEndpoint,
  listWebhookEndpoints,
  retrieveWebhookEndpoint,
  rollWebhookSecret,
  updateWebhookEndpoint,
} from '../routes/webhook-endpoints.ts'
import {
  listWebhookDeliveries,
  replayWebhookEvents,
  testWebhookEndpoint,
} from '../routes/webhook-endpoints-deliveries.ts'
import { receiveEndpointEvent, receivePaymentEvent } from '../webhooks/receive.ts'
import type { Endpoint } from './declaration.ts'

/** Every endpoint of the product, as the documentation lists them. */
export const ENDPOINTS: readonly Endpoint[] = [
  createAccount,
  retrieveAccount,
  updateAccount,
  listAccounts,
  closeAccount,
  reopenAccount,
  mergeAccounts,
  setAccountTier,
  listTierChanges,
  listTimeline,
  ...upcoming,
  createReward,
  retrieveReward,
  updateReward,
  listRewards,
  archiveReward,
  unarchiveReward,
  createRedemption,
  retrieveRedemption,
  listRedemptions,
  cancelRedemption,
  extendRedemption,
  reverseRedemption,
  fulfillRedemption,
  createQuote,
  createCodePool,
  retrieveCodePool,
  listCodePools,
  uploadCodes,
  retrieveStoreCredit,
  listStoreCreditTransactions,
  retrieveStoreCreditTransaction,
  retrieveStoreCreditLiability,
  balanceAt,
  retrieveLiability,
  exportLiability,
  createImport,
  listImports,
  retrieveImport,
  pauseImport,
  cancelImport,
  resumeImport,
  reverseBatch,
  retrieveReversal,
  pauseReversal,
  resumeReversal,
  createProgram,
  listPrograms,
  retrieveProgram,
  updateProgram,
  createTransactions,
  reverseTransaction,
  createTransaction,
  retrieveTransaction,
  listTransactions,
  ...lots,
  createPayment,
  retrievePayment,
  listPayments,
  confirmPayment,
  cancelPayment,
  replayAward,
  createRefund,
  retrieveRefund,
  listRefunds,
  createEarningRule,
  retrieveEarningRule,
  updateEarningRule,
  listEarningRules,
  ...earnings,
  reconcileProgram,
  receivePaymentEvent,
  receiveEndpointEvent,
  retrieveEvent,
  listEvents,
  retrieveRequest,
  listRequests,
  createWebhookEndpoint,
  retrieveWebhookEndpoint,
  updateWebhookEndpoint,
  deleteWebhookEndpoint,
  listWebhookEndpoints,
  rollWebhookSecret,
  testWebhookEndpoint,
  replayWebhookEvents,
  listWebhookDeliveries,
  createEventType,
  retrieveEventType,
  updateEventType,
  listEventTypes,
  createReactor,
  retrieveReactor,
  updateReactor,
  deleteReactor,
  listReactors,
  dryRunReactor,
  ...reportEvent,
  ...confirmEvent,
  ...cancelEvent,
  ...retrieveWallet,
  ...convertPoints,
  ...retrieveSettings,
  ...mergeSettings,
  ...lookUpMember,
  registerIdentity,
  listIdentities,
  retrieveIdentity,
  revokeIdentity,
  createApiKey,
  listApiKeys,
  retrieveApiKey,
  updateApiKey,
  rollApiKey,
  revokeApiKey,
]
