import { balanceAt } from '../accounts/balance-at.ts'
import { closeAccount } from '../accounts/close.ts'
import { createAccount } from '../accounts/create.ts'
import { listAccounts } from '../accounts/list.ts'
import { mergeAccounts } from '../accounts/merge.ts'
import { reopenAccount } from '../accounts/reopen.ts'
import { retrieveAccount } from '../accounts/retrieve.ts'
import { setAccountTier } from '../accounts/set-tier.ts'
import { listTierChanges } from '../accounts/tier-changes.ts'
import { updateAccount } from '../accounts/update.ts'
import { createCodePool } from '../code-pools/create.ts'
import { listCodePools } from '../code-pools/list.ts'
import { retrieveCodePool } from '../code-pools/retrieve.ts'
import { uploadCodes } from '../code-pools/upload.ts'
import { createEarningRule } from '../earning-rules/create.ts'
import { listEarningRules } from '../earning-rules/list.ts'
import { retrieveEarningRule } from '../earning-rules/retrieve.ts'
import { updateEarningRule } from '../earning-rules/update.ts'
import { createEventType } from '../event-types/create.ts'
import { listEventTypes } from '../event-types/list.ts'
import { retrieveEventType } from '../event-types/retrieve.ts'
import { updateEventType } from '../event-types/update.ts'
import { listEvents } from '../events/list.ts'
import { retrieveEvent } from '../events/retrieve.ts'
import { listIdentities } from '../identities/list.ts'
import { registerIdentity } from '../identities/register.ts'
import { retrieveIdentity } from '../identities/retrieve.ts'
import { revokeIdentity } from '../identities/revoke.ts'
import { createImport } from '../imports/create.ts'
import {
  cancelImport,
  listImports,
  pauseImport,
  resumeImport,
  retrieveImport,
} from '../imports/verbs.ts'
import { exportLiability } from '../liability/export.ts'
import { retrieveLiability } from '../liability/retrieve.ts'
import { lookUpMember } from '../members/lookup.ts'
import { cancelPayment } from '../payments/cancel.ts'
import { confirmPayment } from '../payments/confirm.ts'
import { createPayment } from '../payments/create.ts'
import { listPayments } from '../payments/list.ts'
import { replayAward } from '../payments/replay-award.ts'
import { retrievePayment } from '../payments/retrieve.ts'
import { createProgram } from '../programs/create.ts'
import { listPrograms } from '../programs/list.ts'
import { reconcileProgram } from '../programs/reconciliation.ts'
import { retrieveProgram } from '../programs/retrieve.ts'
import { updateProgram } from '../programs/update.ts'
import { createQuote } from '../quotes/create.ts'
import { createReactor } from '../reactors/create.ts'
import { deleteReactor } from '../reactors/delete.ts'
import { dryRunReactor } from '../reactors/dry-run.ts'
import { listReactors } from '../reactors/list.ts'
import { retrieveReactor } from '../reactors/retrieve.ts'
import { updateReactor } from '../reactors/update.ts'
import { cancelRedemption } from '../redemptions/cancel.ts'
import { createRedemption } from '../redemptions/create.ts'
import { extendRedemption } from '../redemptions/extend.ts'
import { fulfillRedemption } from '../redemptions/fulfill.ts'
import { listRedemptions } from '../redemptions/list.ts'
import { retrieveRedemption } from '../redemptions/retrieve.ts'
import { reverseRedemption } from '../redemptions/reverse.ts'
import { createRefund } from '../refunds/create.ts'
import { listRefunds } from '../refunds/list.ts'
import { retrieveRefund } from '../refunds/retrieve.ts'
import { reportEvent, reportEventAtRoot } from '../reported-events/report.ts'
import { cancelEvent, confirmEvent } from '../reported-events/settle.ts'
import { reverseBatch } from '../reversals/create.ts'
import { pauseReversal, resumeReversal, retrieveReversal } from '../reversals/verbs.ts'
import { archiveReward, unarchiveReward } from '../rewards/archive.ts'
import { createReward } from '../rewards/create.ts'
import { listRewards } from '../rewards/list.ts'
import { retrieveReward } from '../rewards/retrieve.ts'
import { updateReward } from '../rewards/update.ts'
import { mergeSettings } from '../settings/merge.ts'
import { retrieveSettings } from '../settings/retrieve.ts'
import { retrieveStoreCreditLiability } from '../store-credit/liability.ts'
import {
  listStoreCreditTransactions,
  retrieveStoreCreditTransaction,
} from '../store-credit/transactions.ts'
import { retrieveStoreCredit } from '../store-credit/wallet.ts'
import { createTransactions } from '../transactions/batch.ts'
import { createTransaction } from '../transactions/create.ts'
import { listTransactions } from '../transactions/list.ts'
import { retrieveTransaction } from '../transactions/retrieve.ts'
import { reverseTransaction } from '../transactions/reverse.ts'
import { convertPoints } from '../users/conversion.ts'
import { retrieveWallet } from '../users/wallet.ts'
import { createWebhookEndpoint } from '../webhook-endpoints/create.ts'
import { deleteWebhookEndpoint } from '../webhook-endpoints/delete.ts'
import { listWebhookDeliveries } from '../webhook-endpoints/deliveries.ts'
import { listWebhookEndpoints } from '../webhook-endpoints/list.ts'
import { replayWebhookEvents } from '../webhook-endpoints/replay.ts'
import { retrieveWebhookEndpoint } from '../webhook-endpoints/retrieve.ts'
import { rollWebhookSecret } from '../webhook-endpoints/roll-secret.ts'
import { testWebhookEndpoint } from '../webhook-endpoints/send-test.ts'
import { updateWebhookEndpoint } from '../webhook-endpoints/update.ts'
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
  reconcileProgram,
  receivePaymentEvent,
  receiveEndpointEvent,
  retrieveEvent,
  listEvents,
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
  reportEvent,
  reportEventAtRoot,
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
]
