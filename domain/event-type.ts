// Whatever begins so is the platform's own: written by the ledger, or reported by a payment's provider.
const OWN = [
  'loyalty',
  'payment',
  'refund',
  'dispute',
  'charge',
  'invoice',
  'subscription',
  'referral',
  'customer',
  'program',
  'webhook_endpoint',
]

/** Whether events of this type are the platform's alone: nobody else may define or report them. */
export function isIntrinsic(type: string): boolean {
  return OWN.includes(type.split('.', 1)[0] ?? '')
}
