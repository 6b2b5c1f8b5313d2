import { call } from '../db/call.ts'
import type { RedemptionResult } from '../db/redemptions.ts'
import { redemption } from '../db/schema/index.ts'
import { fromSnapshot, type Snapshot } from '../db/snapshot.ts'
import type { StoredFulfillment } from '../domain/fulfillment.ts'
import type { FulfillmentProgress, RedemptionFacts } from '../domain/redemption-story.ts'
import { type Refusal, refusalSentence } from '../domain/refusal-sentence.ts'
import type { Engine } from '../temporal/engine.ts'
import type { Dependencies } from './dependencies.ts'

/** What a message did: its outcome, and the redemption's state after it (null: no such redemption). */
export type Settlement = {
  readonly outcome: string
  readonly facts: RedemptionFacts | null
  readonly refusal?: Refusal
}

export type Who = { workspace: string; redemption: string /** ISO 8601 */; at: string }
export type Asked = Who & { operation: string; fingerprint: string }

export type Settling = Pick<Dependencies, 'pool' | 'onFailure'> & { engine?: Engine }

/** Runs one ledger function of a redemption, by its name. */
export function settling(dependencies: Settling) {
  return async (name: string, args: [workspace: string, ...unknown[]]): Promise<Settlement> => {
    return settlementOf(await call<RedemptionResult>(dependencies.pool, name, args))
  }
}

export function settlementOf(result: RedemptionResult): Settlement {
  const { outcome, redemption: snapshot, refusal } = result
  return {
    outcome,
    facts: snapshot ? factsOf(snapshot) : null,
    refusal: refusal && refusalSentence(refusal),
  }
}

function factsOf(snapshot: Snapshot): RedemptionFacts {
  const row = fromSnapshot(redemption, snapshot)
  return {
    status: row.status,
    payment: row.payment,
    reason: row.reason,
    expiresAt: row.expiresAt?.toISOString() ?? null,
    late: row.latePayment?.outcome ?? null,
    ...(row.fulfillment && { fulfillment: progressOf(row.fulfillment, row.overdueAt) }),
  }
}

function progressOf(stored: StoredFulfillment, overdueAt: Date | null): FulfillmentProgress {
  const { quantity, shipped = 0, canceled = 0, tracking = null, carrier = null } = stored
  return {
    items: quantity,
    shipped,
    canceled,
    parcel: [carrier, tracking].filter(Boolean).join(' ') || null,
    refunds: stored.on_overdue === 'refund',
    notices: stored.overdue_notices ?? 0,
    nextAt: overdueAt?.toISOString() ?? null,
  }
}
