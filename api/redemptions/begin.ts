import { randomBytes } from 'node:crypto'
import { readRedemption } from '../../db/from-ledger.ts'
import { precheckRedemption, type RedemptionRow } from '../../db/redemptions.ts'
import type { Snapshot } from '../../db/snapshot.ts'
import { creationWindowMs } from '../../domain/creation-window.ts'
import { DEFAULT_DEADLINE_DAYS, waitsForFulfillment } from '../../domain/fulfillment.ts'
import { derivedId, newId } from '../../domain/ids.ts'
import { Refused, refuse } from '../../domain/refusal.ts'
import { waitsForAPayment } from '../../domain/reward.ts'
import {
  armRedemption,
  fulfillmentInputOf,
  inputOf,
  signalCreated,
} from '../../temporal/redemption.ts'
import { write } from '../contention.ts'
import type { Deps } from '../deps.ts'
import { Outage, orOutage } from '../outage.ts'
import { inPoints } from '../points-refusal.ts'
import { endSoon } from './end-soon.ts'
import { withCodes } from './gift-cards.ts'
import { type Judged, refuseMissing, refuseNonsense } from './judge.ts'
import { queueOf } from './queue.ts'

export const ROUTE = 'POST /v1/loyalty/redemptions'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

// Of a reward of which there are only so many, more at once would arm runs for what is gone by the
// time they act, and keep those waiting who are to be told that it is gone. 16 keep the engine busy.
const SCARCE_AT_ONCE = 16
const scarce = queueOf(SCARCE_AT_ONCE)

/** A redemption as asked for. */
export type Beginning = {
  readonly workspace: string
  readonly account: string
  readonly reward: string
  readonly variant?: string | undefined
  readonly quantity: number
  readonly shipping: Record<string, unknown> | null
  readonly metadata: Record<string, string>
  readonly idempotencyKey: string | undefined
  readonly fingerprint: string
}

/** `decimals` where the pre-check told them. */
export type Begun = {
  readonly row: RedemptionRow
  readonly replayed: boolean
  readonly decimals?: number
}

/**
 * Spends points on a reward: arm, then act (docs: one redemption). The run that
 * gives the points back at the deadline exists before the points are taken; the
 * stored row alone guards against taking them twice. A refusal and a failure to
 * arm leave nothing written; after arming a failure's outcome is unknown, and a
 * retry with the same key finds it out.
 */
export async function beginRedemption(deps: Deps, asked: Beginning): Promise<Begun> {
  const { workspace, reward, idempotencyKey: key } = asked
  const id = key === undefined ? newId('rdm') : derivedId('rdm', workspace, ROUTE, key)
  const found = await probe(deps, asked, id)
  if ('row' in found) return found
  if (!waits(found)) {
    return act(deps, asked, {
      id,
      found,
      expiresAt: null,
      windowMs: creationWindowMs(holdOf(found)),
    })
  }
  if (!found.scarce) return armThenAct(deps, asked, id, found)
  return scarce(`${workspace} ${reward}`, async (waited) => {
    const now = waited ? await probe(deps, asked, id) : found
    return 'row' in now ? now : armThenAct(deps, asked, id, now)
  })
}

/** Whether it is not over with the request: a gift card that has its codes waits for nobody. */
export function waits({ reward_type: type, codes }: Judged): boolean {
  return waitsForAPayment(type) || (waitsForFulfillment(type) && codes === null)
}

/** The pre-check: what is stored already, or how it would go now; refuses what would not go. */
async function probe(deps: Deps, asked: Beginning, id: string): Promise<Begun | Judged> {
  const { workspace, account, reward, quantity } = asked
  const found = await precheckRedemption(
    deps.pool,
    workspace,
    id,
    account,
    reward,
    quantity,
    deps.holdMinutes,
    asked.variant,
  )
  if (found.outcome === 'exists') return replayOf(found.redemption, asked)
  if (found.outcome === 'missing') return refuseMissing(found, asked)
  refuseNonsense(found, asked)
  const [first] = found.refusals
  if (first !== undefined) throw new Refused(inPoints(first, found.decimals))
  return found
}

async function armThenAct(deps: Deps, asked: Beginning, id: string, found: Judged): Promise<Begun> {
  const { workspace, reward } = asked
  const { input, waitMs, expiresAt, windowMs } = runOf(workspace, id, reward, found)
  const armed = await orOutage(
    'The redemption could not be begun. Nothing was written; try again.',
    () => armRedemption(deps.engine, input, waitMs),
  )
  try {
    const begun = await act(deps, asked, { id, found, expiresAt, windowMs })
    // An earlier try armed the run and died: it may have looked already, so it is told to look again.
    if (!armed && !begun.replayed) await signalCreated(deps.engine, input)
    return begun
  } catch (error) {
    // Refused: a run armed for days would wait for a row that never comes. Told to look, it ends soon.
    if ('deadline' in input && error instanceof Refused) await endSoon(deps, [input])
    throw error
  }
}

/** The run that a redemption waits in: what it is told, how long it waits, and how late the act may follow. */
export function runOf(workspace: string, id: string, reward: string, judged: Judged) {
  const ships = waitsForFulfillment(judged.reward_type)
  const waitMs = ships ? deadlineOf(judged) : holdOf(judged)
  const expiresAt = new Date(Date.parse(judged.at) + waitMs).toISOString()
  const windowMs = creationWindowMs(waitMs)
  const run = { id, account: judged.account, reward }
  const about = (ships ? fulfillmentInputOf : inputOf)(workspace, run, expiresAt)
  return { input: { ...about, creationWindowMs: windowMs }, waitMs, expiresAt, windowMs }
}

type Act = { id: string; found: Judged; expiresAt: string | null; windowMs: number }

async function act(
  deps: Deps,
  asked: Beginning,
  { id, found, expiresAt, windowMs }: Act,
): Promise<Begun> {
  const { idempotencyKey: _key, variant, ...about } = asked
  const create = {
    ...about,
    redemption: id,
    at: found.at,
    expiresAt,
    creationWindowMs: windowMs,
    code: newCode(),
  }
  const result = await withCodes(deps, asked, found.codes, (codes) => {
    const more = variant === undefined && codes === undefined ? null : { variant, codes }
    return write(() => deps.activities.createRedemption({ ...create, more }))
  })
  if (result.refusal !== undefined) throw new Refused(inPoints(result.refusal, found.decimals))
  if (result.outcome === 'too_late') {
    throw new Outage('The redemption took too long to begin. Nothing was written; try again.')
  }
  const stored = result.redemption
  if (stored === undefined) {
    return refuseMissing({ ...result, param: result.param ?? 'account' }, asked)
  }
  if (result.outcome === 'exists') return replayOf(stored, asked)
  return { row: readRedemption(stored), replayed: false, decimals: found.decimals }
}

function replayOf(stored: Snapshot, { fingerprint }: Beginning): Begun {
  const row = readRedemption(stored)
  if (row.fingerprint !== fingerprint) {
    refuse('idempotency_key_reused', 'This Idempotency-Key was used with another request.')
  }
  return { row, replayed: true }
}

/** How long it waits for its payment, in milliseconds. */
export function holdOf({ hold_minutes }: Judged): number {
  return Math.round(hold_minutes * MINUTE_MS)
}

/** How long somebody has to hand it over, in milliseconds. */
function deadlineOf({ deadline_days }: Judged): number {
  return (deadline_days ?? DEFAULT_DEADLINE_DAYS) * DAY_MS
}

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ' // no I, L, O or U: a cashier types it from a screen

/** A discount code: 60 random bits, in groups that can be read aloud. */
export function newCode(): string {
  const signs = [...randomBytes(12)].map((byte) => CROCKFORD[byte % CROCKFORD.length]).join('')
  return `VINR-${signs.slice(0, 4)}-${signs.slice(4, 8)}-${signs.slice(8)}`
}
