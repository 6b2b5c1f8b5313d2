/** Points in the program's smallest unit. */
export type LiabilityReport = {
  outstanding: number
  earned: number
  spent: number
  expired: number
  clawed_back: number
  adjusted: number
  pending: number
  decimals: number
  point_value: number
  currency: string
  as_of: string
  liability_minor: number
  breakage_rate: number | null
}
