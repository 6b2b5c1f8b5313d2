import { parse } from '../../server/endpoint.ts'
import {
  isMadeBy,
  jsonOf,
  type Provider,
  type ProviderEvent,
  readSignature,
  type Signer,
  type Verification,
} from '../provider.ts'
import { inIsoMinorUnits, StripeEvent } from './stripe/event.ts'
import { INTENTS, intentIn, SESSIONS, sessionIn } from './stripe/payments.ts'
import { chargeIn, disputeIn, REFUND_EVENTS, refundIn } from './stripe/refunds.ts'
import { INVOICES, invoiceIn, SUBSCRIPTIONS, subscriptionIn } from './stripe/subscriptions.ts'

const TOLERANCE_S = 300 // Stripe's own libraries allow as much

// api_version, pending_webhooks and request are about the delivery
const CONTENT = [['type'], ['created'], ['data', 'object']]

/**
 * Stripe's webhooks as they are. A payment is its payment intent (`pay_pi_...`), so that everything
 * about one intent is one payment; `metadata.redemptions` names redemptions, comma-separated, and
 * `metadata.amount_before_discounts` the amount that they were taken off from.
 */
export const stripe: Provider = {
  verify: <Secret extends Signer>(given: Verification<Secret>) => {
    const signature = readSignature(given.header('stripe-signature'))
    if (signature === undefined) return undefined
    if (Math.abs(given.nowMs / 1_000 - signature.timestamp) > TOLERANCE_S) return undefined
    return given.secrets.find(({ secret }) => isMadeBy(secret, signature, given.body))
  },

  read: (body): ProviderEvent => {
    const sent = parse<typeof StripeEvent>(StripeEvent, jsonOf(body))
    const event = { ...sent, data: inIsoMinorUnits(sent.data) }
    const { id, type } = event
    const reported = { id, type, status: null, payment: null, payload: sent, content: CONTENT }
    const known = INTENTS.get(event.type)
    if (known !== undefined) return { ...reported, ...intentIn(event, ...known) }
    if (event.type === 'charge.refunded') return { ...reported, ...chargeIn(event) }
    if (event.type.startsWith('charge.dispute.')) return { ...reported, ...disputeIn(event) }
    const sessionStatus = SESSIONS.get(event.type)
    if (sessionStatus !== undefined) return { ...reported, ...sessionIn(event, sessionStatus) }
    if (REFUND_EVENTS.has(event.type)) return { ...reported, ...refundIn(event) }
    if (INVOICES.has(event.type)) return { ...reported, ...invoiceIn(event) }
    if (SUBSCRIPTIONS.has(event.type)) return { ...reported, ...subscriptionIn(event) }
    return reported
  },
}
