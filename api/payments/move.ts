import { databaseNow } from '../../db/clock.ts'
import type { MovePayment } from '../../db/payments.ts'
import { newId } from '../../domain/ids.ts'
import { Refused, refuse } from '../../domain/refusal.ts'
import { refusalSentence } from '../../domain/refusal-sentence.ts'
import { write } from '../contention.ts'
import type { Deps } from '../deps.ts'
import { notFound } from '../points-refusal.ts'
import { presentResult } from './present.ts'

type Moving = { readonly workspace: string; readonly livemode: boolean; readonly deps: Deps }

/**
 * Moves a sandbox payment to its end and answers with it; one that has ended so
 * already is answered as it is, one that has ended otherwise is resource_changed.
 */
export async function move(ctx: Moving, payment: string, status: MovePayment['status']) {
  const { workspace, livemode, deps } = ctx
  const at = (await databaseNow(deps.pool)).toISOString()
  const asked = { workspace, payment, status, event: newId('evt'), at }
  const result = await write(() => deps.activities.movePayment(asked))
  if (result.outcome === 'missing') return notFound('payment', payment)
  if (result.refusal !== undefined) throw new Refused(refusalSentence(result.refusal))
  const object = presentResult(result, livemode)
  if (result.outcome === 'settled') {
    refuse('resource_changed', `The payment is ${object.status} already.`, {
      fields: { status: object.status },
    })
  }
  return { status: 'ok' as const, object }
}
