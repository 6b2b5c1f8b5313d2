import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common'

/** What an operator filters by. Account and reward are set at start, the others when a message arrives. */
export const RedemptionAccount = defineSearchAttributeKey(
  'RedemptionAccount',
  SearchAttributeType.KEYWORD,
)
export const RedemptionReward = defineSearchAttributeKey(
  'RedemptionReward',
  SearchAttributeType.KEYWORD,
)
export const RedemptionStatusKey = defineSearchAttributeKey(
  'RedemptionStatus',
  SearchAttributeType.KEYWORD,
)
export const RedemptionPayment = defineSearchAttributeKey(
  'RedemptionPayment',
  SearchAttributeType.KEYWORD,
)

export const SEARCH_ATTRIBUTES = [
  RedemptionAccount,
  RedemptionReward,
  RedemptionStatusKey,
  RedemptionPayment,
]
