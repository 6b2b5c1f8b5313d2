import { type AttentionRow, lockAttention, writeDecision } from '../db/attention.ts'
import { databaseNow } from '../db/clock.ts'
import type { RequestIdentity } from '../db/idempotency.ts'
import { type Asker, makerOf } from '../domain/actor.ts'
import { refuse } from '../domain/refusal.ts'
import type { Dependencies } from './dependencies.ts'
import { changeOnce, type Written } from './idempotent.ts'

type Decision = { id: string; reason: string; actor: Asker }

/** What a person decides of what needs one. Refused (parameter_invalid): what is settled already. */
export function attentionCommands({ pool }: Pick<Dependencies, 'pool'>) {
  const decide = async (
    request: RequestIdentity,
    { id, reason, actor }: Decision,
    changeAt: (now: Date) => Parameters<typeof writeDecision>[3],
  ): Promise<Written<AttentionRow>> => {
    const now = await databaseNow(pool)
    return changeOnce(pool, request, {
      noun: 'attention item',
      id,
      lock: lockAttention,
      change: async (tx, before) => {
        if (before.settledAt !== null) {
          refuse('parameter_invalid', 'id: it is settled already.', { param: 'id' })
        }
        const change = changeAt(now)
        const verb = 'settledAt' in change ? 'resolved' : 'snoozed'
        const decision = { verb, reason, actor: makerOf(actor), at: now.toISOString() } as const
        return writeDecision(tx, request.workspace, id, change, decision)
      },
    })
  }
  return {
    /** Out of sight until then. Refused: a time that is past. */
    snoozeAttention: (request: RequestIdentity, until: Date, decision: Decision) =>
      decide(request, decision, (now) => {
        if (until <= now) {
          refuse('parameter_invalid', 'until: expected a time to come.', { param: 'until' })
        }
        return { snoozedUntil: until }
      }),

    /** Settled by a person's word. What lasts is open again when it is noticed once more. */
    resolveAttention: (request: RequestIdentity, decision: Decision) =>
      decide(request, decision, (now) => ({ settledAt: now })),
  }
}
