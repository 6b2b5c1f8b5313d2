/** What the deadline of a fulfilment does. */
export const OVERDUE_POLICIES = ['notify', 'refund'] as const
type OverduePolicy = (typeof OVERDUE_POLICIES)[number]

/** A parcel on its way, with some of the items. */
export type Shipment = {
  quantity: number
  tracking: string | null
  carrier: string | null
  /** ISO 8601 */
  at: string
}

export type Shipping = {
  name: string
  line1: string
  line2?: string
  city: string
  state?: string
  postalCode: string
  country: string
  phone?: string
}

/** What somebody has to hand over, as `redemption_artifact` writes it and shipments change it. */
export type StoredFulfillment = {
  /** Items in all; of them, shipped, and no longer to be shipped. */
  quantity: number
  shipped?: number
  canceled?: number
  product?: string
  partner?: string
  sku?: string
  amount?: number
  currency?: string
  shipping: Shipping | null
  shipments?: Shipment[]
  /** Of the latest shipment. */
  tracking?: string | null
  carrier?: string | null
  /** ISO 8601; fixed when redeemed, as the policy is. */
  deadline?: string | null
  on_overdue?: OverduePolicy
  overdue_notices?: number
}
