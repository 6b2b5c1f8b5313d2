import type { Pool } from 'pg'
import type { ReceivedEvent } from '../../app/payments.ts'
import type { PaymentResult } from '../../db/results/payment.ts'

/**
 * Takes a provider's event in while nothing that follows from it can be done: its inbox row is not processed, and
 * its workflow is not signalled by this process. Only for this transaction is a function away.
 */
export async function takeInUnfinished(
  owner: Pool,
  { more = {}, ...event }: ReceivedEvent,
): Promise<PaymentResult> {
  const client = await owner.connect()
  try {
    await client.query('begin')
    await client.query('select pg_advisory_xact_lock(1)') // one at a time may rename it
    await client.query(
      'alter function ledger_private.earnings_of_events rename to earnings_of_events_away',
    )
    const { rows } = await client.query<{ taken: PaymentResult }>(
      'select ledger.payment_take_in($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) as taken',
      [
        event.workspace,
        event.provider,
        event.endpoint,
        event.event,
        event.type,
        event.payload,
        event.payment,
        event.status,
        event.at ?? null,
        more,
        JSON.stringify(event.content),
      ],
    )
    await client.query(
      'alter function ledger_private.earnings_of_events_away rename to earnings_of_events',
    )
    await client.query('commit')
    const taken = rows[0]?.taken
    if (taken === undefined) throw new Error('payment_take_in answered nothing')
    return taken
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}
