import type { z } from 'zod'
import { followUp } from '../../activities/follow-ups.ts'
import { databaseNow } from '../../db/clock.ts'
import type {
  NewPayment as NewPaymentRow,
  PaymentResult,
  RedemptionRef,
} from '../../db/payments.ts'
import { newId } from '../../domain/ids.ts'
import { type Refusal, Refused, refuse } from '../../domain/refusal.ts'
import { refusalSentence } from '../../domain/refusal-sentence.ts'
import { armPayment, signalPayment } from '../../temporal/payment.ts'
import { write } from '../contention.ts'
import type { Deps } from '../deps.ts'
import { endpoint } from '../endpoint.ts'
import { NewPayment, Payment } from '../objects/payment.ts'
import { orOutage } from '../outage.ts'
import { outcomeOfCard } from './card.ts'
import { presentResult } from './present.ts'

const OPEN_MS = 24 * 60 * 60 * 1_000 // how long an open sandbox payment waits before it expires

export const createPayment = endpoint({
  method: 'POST',
  path: '/v1/payments',
  summary: 'Create a payment',
  description:
    'Takes the discounts of redemptions off the amount, then store credit. In test mode a `card` settles it: 4242424242424242 completes, 4000000000000002 is declined, 4000000000003220 waits for a confirmation.',
  tags: ['payments'],
  key: 'secret',
  body: NewPayment,
  reply: Payment,
  successCodes: [201, 200],
  errors: [
    'resource_missing',
    'redemption_already_attached',
    'redemption_already_settled',
    'redemption_account_mismatch',
    'redemption_expired',
    'currency_mismatch',
    'idempotency_key_reused',
    'idempotency_key_in_use',
    'account_closed',
  ],
  handle: async ({ workspace, caller, livemode, body, idempotencyKey, fingerprint, deps }) => {
    const { amount, currency, customer = null, metadata, card } = body
    if (livemode && card !== undefined) {
      refuse('parameter_invalid', 'card: only test mode has the sandbox.', { param: 'card' })
    }
    const outcome = card === undefined ? 'open' : outcomeOfCard(card)
    const settled = outcome === 'completed' || outcome === 'failed'
    const now = await databaseNow(deps.pool)
    const expiresAt = new Date(now.getTime() + OPEN_MS).toISOString()
    const payment = newId('pay')
    const asked: NewPaymentRow = {
      workspace,
      payment,
      route: 'POST /v1/payments',
      key: idempotencyKey ?? null,
      fingerprint,
      amount,
      currency,
      customer,
      metadata,
      redemptions: namedRedemptions(body),
      storeCredit: storeCreditOf(body.store_credit),
      status: settled ? outcome : 'requires_payment',
      awaitsConfirmation: outcome === 'awaits_confirmation',
      event: newId('evt'),
      at: now.toISOString(),
      expiresAt,
    }
    const create = async () => {
      const result = await (settled
        ? write(() => deps.activities.createPayment(asked))
        : createOpen(deps, asked))
      if (result.refusal === undefined) return result
      throw new Refused(named(refusalSentence(result.refusal), body))
    }
    const byCode = body.discounts.some((discount) => 'code' in discount)
    const result = byCode
      ? await deps.attempts.tryOut(`${caller} code`, isUnknownDiscount, create)
      : await create()
    const replayed = result.outcome === 'replayed'
    return { status: 'created', replayed, object: presentResult(result, livemode) }
  },
})

/**
 * A payment that stays open: the run that expires it exists before the payment does. What would be refused,
 * or was created before, starts no run; one started for a payment that is refused all the same ends at once.
 */
async function createOpen(deps: Deps, asked: NewPaymentRow): Promise<PaymentResult> {
  if (canBeAnswered(asked)) {
    const answer = await write(() => deps.activities.answerPayment(asked))
    if (answer !== undefined) return answer
  }
  const { workspace, payment, expiresAt } = asked
  const run = { workspace, payment, expiresAt }
  await orOutage('The payment could not be begun. Nothing was written; try again.', () =>
    armPayment(deps.engine, run, OPEN_MS),
  )
  const end = () =>
    followUp([run], (input) => signalPayment(deps.engine, input), {
      kind: 'payment_end',
      about: { workspace, payment },
      onFailure: deps.onFailure,
    })
  try {
    const result = await write(() => deps.activities.createPayment(asked))
    if (result.outcome !== 'created') await end()
    return result
  } catch (error) {
    if (error instanceof Refused) await end() // else it may have been written
    throw error
  }
}

/** Whether a key, a redemption or a wallet may stand against it; a plain payment costs no question. */
const canBeAnswered = ({ key, redemptions, storeCredit }: NewPaymentRow): boolean =>
  key !== null || redemptions.length > 0 || storeCredit !== null

type Named = {
  readonly discounts: readonly RedemptionRef[]
  readonly redemptions: readonly string[]
}

/** `discounts` and `redemptions` say the same thing in two ways; each one counts once. */
function namedRedemptions({ discounts, redemptions }: Named): RedemptionRef[] {
  const refs = [...discounts, ...redemptions.map((redemption) => ({ redemption }))]
  const keyed = refs.map(
    (ref) => ['code' in ref ? `code ${ref.code}` : ref.redemption, ref] as const,
  )
  return [...new Map(keyed).values()]
}

/** `true`, an amount and the whole form say the same thing in three ways. */
function storeCreditOf(asked: z.output<typeof NewPayment>['store_credit']) {
  if (asked === undefined) return null
  if (asked === true) return {}
  return typeof asked === 'number' ? { amount: asked } : asked
}

const isUnknownDiscount = ({ code, param }: Refusal): boolean =>
  code === 'resource_missing' && param === 'discounts'

/** Where the refusal is about something that does not exist, the parameter that named it. */
function named(refusal: Refusal, { redemptions }: Named): Refusal {
  if (refusal.code !== 'resource_missing' || refusal.param !== undefined) return refusal
  const byId = redemptions.some((id) => id === refusal.fields?.redemption)
  return { ...refusal, param: byId ? 'redemptions' : 'discounts' }
}
