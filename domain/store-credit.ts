import type { RecordedActor } from './actor.ts'

/** What moves store credit. */
export const CREDIT_TYPES = ['issue', 'spend', 'return', 'expire', 'reverse', 'merge'] as const
type CreditType = (typeof CREDIT_TYPES)[number]

type CreditTransactionFacts = {
  readonly id: string
  readonly account: string
  readonly currency: string
  readonly type: CreditType
  readonly amount: number
  readonly balanceAfter: number
  readonly credit: string
  readonly redemption: string | null
  readonly payment: string | null
  readonly refund: string | null
  readonly reverses: string | null
  readonly at: Date
  readonly actor: RecordedActor | null
}

/** One movement of store credit as the API shows it. Minor units, signed. */
export function creditTransactionObject(row: CreditTransactionFacts, livemode: boolean) {
  return {
    id: row.id,
    object: 'store_credit_transaction' as const,
    account: row.account,
    currency: row.currency,
    type: row.type,
    amount: row.amount,
    balance_after: row.balanceAfter,
    credit: row.credit,
    redemption: row.redemption,
    payment: row.payment,
    refund: row.refund,
    reverses: row.reverses,
    created_at: row.at.toISOString(),
    actor: row.actor,
    livemode,
  }
}

/** A credit as the ledger's event carries it; dates as the database writes them. */
export type IssuedCredit = {
  readonly id: string
  readonly account: string
  readonly customer: string | null
  readonly redemption: string
  readonly amount: number
  readonly currency: string
  readonly expires_at: string | null
  readonly created_at: string
}

/** A credit as its event shows it. */
export function creditObject(row: IssuedCredit, livemode: boolean) {
  return {
    id: row.id,
    object: 'store_credit' as const,
    account: row.account,
    customer: row.customer,
    redemption: row.redemption,
    amount: row.amount,
    currency: row.currency,
    expires_at: row.expires_at === null ? null : new Date(row.expires_at).toISOString(),
    created_at: new Date(row.created_at).toISOString(),
    livemode,
  }
}
