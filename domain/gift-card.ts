/** One code of a gift card as it is stored: sealed, with its last four characters for people. */
export type SealedGiftCard = {
  readonly id: string
  readonly sealed: string
  readonly last4: string
  readonly amount: number
  readonly currency: string
}

/** A code on its way into the database: never in the clear. */
export type SealedCode = { readonly hash: string; readonly sealed: string; readonly last4: string }
