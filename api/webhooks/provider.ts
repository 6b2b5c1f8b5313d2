import type { PaymentStatus, ReportedMore, ReportedPayment } from '../../db/payments.ts'

/** A provider's event in our own words. */
export type ProviderEvent = {
  /** Unique at the provider: a repeat is recognised by it. */
  readonly id: string
  readonly type: string
  /** What it says of the payment's status; null where it says nothing. */
  readonly status: PaymentStatus | null
  /** The whole payment; null where the event is not about one. */
  readonly payment: ReportedPayment | null
  /** What it says beside the payment, or instead of one: refunds, an earning trigger. */
  readonly more?: ReportedMore
  readonly payload: Record<string, unknown>
  /** The paths in the payload at which it says what happened; the rest is about its delivery. */
  readonly content: readonly (readonly string[])[]
}

/** A signing secret of a workspace, with what its provider is configured by. */
export type Signer = {
  readonly secret: string
  readonly mapping?: Readonly<Record<string, unknown>> | null
}

export type Verification<Secret> = {
  readonly header: (name: string) => string | undefined
  readonly body: Buffer
  readonly secrets: readonly Secret[]
  readonly nowMs: number
}

/** How one payment provider signs and words its webhooks. */
export type Provider = {
  /** The secret that signed this body, not too long ago; undefined: none did. */
  verify<Secret extends Signer>(given: Verification<Secret>): Secret | undefined
  /** The event in a verified body; refuses what it cannot be (400), by the parameter's name. */
  read(body: Buffer, signer: Signer): ProviderEvent
}
