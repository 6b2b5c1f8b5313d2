import { setTimeout as delay } from 'node:timers/promises'
import type { Contender, Running } from './contender.ts'
import type { Place } from './place.ts'
import { inTurn } from './rounds.ts'

const HOLD_MS = 3_000 // long enough that a payment sent at once comes first
const RELEASED_WITHIN_MS = 30_000 // pg-boss and DBOS poll their delayed work, seconds apart
const CHECK_EVERY_MS = 50
const MEMBER = 0

/**
 * Before anything is measured: each contender must give points back by itself once the hold has
 * passed, not before, and where it takes payments, must apply a paid one instead.
 */
export async function prove(place: Place, contenders: Contender[]): Promise<void> {
  for (const contender of contenders) {
    await inTurn(place, contender, { members: 1, holdMs: HOLD_MS }, 'proof', async (running) => {
      const outcome = await proveOne(running)
      place.onProgress(`${contender.name.padEnd(16)} ${outcome}`)
      return []
    })
  }
}

async function proveOne(running: Running): Promise<string> {
  const { released } = running
  if (released === undefined) return 'has nothing to release'
  const createdAt = performance.now()
  const left = await running.create(MEMBER)
  const paid = await payOne(running)
  await until(async () => (await released([left])).length === 1, `${left} released`)
  const heldMs = performance.now() - createdAt
  if (heldMs < HOLD_MS) throw new Error(`released after ${heldMs.toFixed(0)} ms`)
  if (paid === null) return `releases after ${(heldMs / 1_000).toFixed(1)} s`
  const both = await released([left, paid])
  if (both.includes(paid)) throw new Error(`${paid} was released although it was applied`)
  return `applies a paid one, releases the other after ${(heldMs / 1_000).toFixed(1)} s`
}

/** Null where the contender is asked for creation alone. */
async function payOne({ create, pay, applied }: Running): Promise<string | null> {
  if (pay === undefined || applied === undefined) return null
  const paid = await create(MEMBER)
  await pay(paid)
  await until(async () => (await applied([paid])).length === 1, `${paid} applied`)
  return paid
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + RELEASED_WITHIN_MS
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`)
    await delay(CHECK_EVERY_MS)
  }
}
