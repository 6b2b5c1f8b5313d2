/** What a check of an account's expiry did. Points in the smallest unit. */
export type ExpiryCheck = {
  outcome: 'checked' | 'missing'
  /** The account checked: the survivor of a merge. */
  account?: string
  expired?: number
  warned?: number
  /** When to check again, ISO 8601; null: nothing of the account expires. */
  next_check_at?: string | null
  /** Whether many accounts may share that date: a midnight of the program. */
  shared?: boolean
}
