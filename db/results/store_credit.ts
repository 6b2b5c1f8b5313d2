/** What a member has in one currency, and what of it expires when. Minor units; what is due counts as expired. */
export type Wallet = {
  currency: string
  balance: number
  expiring: { credit: string; amount: number; expires_at: string }[]
}

/** Minor units, by currency: outstanding = issued - spent - expired - reversed. */
export type CreditLiability = {
  as_of: string
  currencies: {
    currency: string
    outstanding: number
    issued: number
    spent: number
    expired: number
    reversed: number
  }[]
}

/** Of an account, or of what it was merged into. */
export type AccountWallets = { account: string; wallets: Wallet[] }
