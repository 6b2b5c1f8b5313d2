import { closeAccount } from './accounts/close.ts'
import { createAccount } from './accounts/create.ts'
import { listAccounts } from './accounts/list.ts'
import { mergeAccounts } from './accounts/merge.ts'
import { reopenAccount } from './accounts/reopen.ts'
import { retrieveAccount } from './accounts/retrieve.ts'
import { setAccountTier } from './accounts/set-tier.ts'
import { listTierChanges } from './accounts/tier-changes.ts'
import { updateAccount } from './accounts/update.ts'
import type { Endpoint } from './declaration.ts'
import { createEarningRule } from './earning-rules/create.ts'
import { listEarningRules } from './earning-rules/list.ts'
import { retrieveEarningRule } from './earning-rules/retrieve.ts'
import { updateEarningRule } from './earning-rules/update.ts'
import { cancelPayment } from './payments/cancel.ts'
import { confirmPayment } from './payments/confirm.ts'
import { createPayment } from './payments/create.ts'
import { listPayments } from './payments/list.ts'
import { replayAward } from './payments/replay-award.ts'
import { retrievePayment } from './payments/retrieve.ts'
import { reconcileProgram } from './programs/reconciliation.ts'
import { createQuote } from './quotes/create.ts'
import { cancelRedemption } from './redemptions/cancel.ts'
import { createRedemption } from './redemptions/create.ts'
import { extendRedemption } from './redemptions/extend.ts'
import { listRedemptions } from './redemptions/list.ts'
import { retrieveRedemption } from './redemptions/retrieve.ts'
import { reverseRedemption } from './redemptions/reverse.ts'
import { createRefund } from './refunds/create.ts'
import { listRefunds } from './refunds/list.ts'
import { retrieveRefund } from './refunds/retrieve.ts'
import { createReward } from './rewards/create.ts'
import { listRewards } from './rewards/list.ts'
import { retrieveReward } from './rewards/retrieve.ts'
import { updateReward } from './rewards/update.ts'
import { createTransaction } from './transactions/create.ts'
import { listTransactions } from './transactions/list.ts'
import { retrieveTransaction } from './transactions/retrieve.ts'
import { receivePaymentEvent } from './webhooks/receive.ts'

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
  createRedemption,
  retrieveRedemption,
  listRedemptions,
  cancelRedemption,
  extendRedemption,
  reverseRedemption,
  createQuote,
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
]
