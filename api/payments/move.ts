import type { MovePayment } from '../../db/payments.ts'
import { newId } from '../../domain/ids.ts'
import { Refused, refuse } from '../../domain/refusal.ts'
import { refusalSentence } from '../../domain/refusal-sentence.ts'
import { write } from '../contention.ts'
import { notFound } from '../points-refusal.ts'
import type { Deps } from '../server/deps.ts'
import { identityOf } from '../server/idempotency.ts'
import { presentResult } from './present.ts'

type Moving = {
  readonly workspace: string
  readonly livemode: boolean
  readonly idempotencyKey: string | undefined
  readonly fingerprint: string
  readonly deps: Deps
}

/**
 * Moves a sandbox payment to its end and answers with it; one that has ended so
 * already is answered as it is, one that has ended otherwise is resource_changed.
 */
export async function move(
  ctx: Moving,
  route: string,
  payment: string,
  status: MovePayment['status'],
) {
  const { workspace, livemode, deps } = ctx
  const asked = { workspace, payment, status, event: newId('evt') }
  const result = await write(() => deps.commands.movePayment(asked, identityOf(route, ctx)))
  const { refusal } = result
  if (refusal?.code === 'resource_missing') return notFound('payment', payment)
  if (refusal?.code === 'resource_changed') {
    refuse('resource_changed', `The payment is ${refusal.status} already.`, {
      fields: { status: refusal.status },
    })
  }
  if (refusal !== undefined) throw new Refused(refusalSentence(refusal))
  const replayed = result.outcome === 'replayed'
  return { status: 'ok' as const, replayed, object: presentResult(result, livemode) }
}
