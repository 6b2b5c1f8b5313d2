/**
 * pending -> applied | released | reversed; released -> applied (rehold only);
 * fulfillment_pending -> fulfilled | reversed; applied | fulfilled -> reversed.
 */
export type RedemptionStatus =
  | 'pending'
  | 'fulfillment_pending'
  | 'applied'
  | 'fulfilled'
  | 'released'
  | 'reversed'
