import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createCommands } from '../../app/index.ts'
import { newId } from '../../domain/ids.ts'
import { tierReviewWorkflowId, WORKFLOW } from '../../temporal/names.ts'
import type { House } from '../support/house.ts'
import { sendOutbox } from '../support/outbox.ts'
import { openSkippingHouse, type SkippingHouse } from '../support/skipping-house.ts'

const DAY_MS = 86_400_000
const TIERS = [
  { name: 'Bronze', rank: 0, threshold: 0, multiplier: 1 },
  { name: 'Silver', rank: 1, threshold: 500, multiplier: 1 },
  { name: 'Gold', rank: 2, threshold: 2_000, multiplier: 1 },
]

let house: House
let env: SkippingHouse['env']

// each with a server of its own, whose clock starts at the database's: facts are dated by that
beforeEach(async () => {
  ;({ house, env } = await openSkippingHouse())
})
afterEach(() => house.close())

const nowMs = () => env.currentTimeMs()

/** A member of a program where a month's points count, and 30 days more for keeping a tier. */
async function enrol(): Promise<string> {
  const program = newId('prog')
  const config = { qualifyOn: 'points', period: { type: 'rolling', months: 1 }, tiers: TIERS }
  await house.owner.query(
    'insert into program (workspace, id, name, tier_config) values ($1, $2, $2, $3)',
    [house.workspace, program, config],
  )
  const request = { workspace: house.workspace, route: 'test', key: null, fingerprint: 'f' }
  const values = { workspace: house.workspace, program, customer: null, metadata: {} }
  const id = newId('loy')
  await house.commands.createAccount(request, { ...values, id })
  return id
}

const earn = (
  account: string,
  amount: number,
  atMs: number,
  { postTransaction } = house.commands,
) =>
  postTransaction({
    workspace: house.workspace,
    account,
    type: 'earn',
    amount,
    reason: 'test',
    operation: newId('op'),
    fingerprint: 'f',
    at: new Date(atMs).toISOString(),
    expiresAt: null,
    batch: null,
    source: null,
    metadata: {},
    allowNegative: false,
  })
const tierOf = async (account: string) =>
  (await house.owner.query('select tier from account where id = $1', [account])).rows[0].tier
const changesOf = async (account: string) =>
  (
    await house.owner.query(
      'select to_tier as to, reason, created_at as at from tier_change where account = $1 order by id',
      [account],
    )
  ).rows
const result = (account: string) =>
  env.client.workflow
    .getHandle(tierReviewWorkflowId(house.workspace, account))
    .result() as Promise<{ tier: string | null }>

describe('a tier', () => {
  test('is there at once, stays through its months and the grace, and then falls by itself', async () => {
    const [id, startedMs] = [await enrol(), await nowMs()]
    await earn(id, 2_500, startedMs)
    expect(await tierOf(id)).toBe('Gold')
    await sendOutbox(house)
    expect(await result(id)).toMatchObject({ tier: 'Bronze' })
    expect(await changesOf(id)).toMatchObject([
      { to: 'Bronze', reason: 'enrolled' },
      { to: 'Gold', reason: 'qualified' },
      { to: 'Bronze', reason: 'lapsed' },
    ])
    const fellMs = (await changesOf(id)).at(-1).at.getTime()
    expect((fellMs - startedMs) / DAY_MS).toBeGreaterThan(28 + 30)
    expect((fellMs - startedMs) / DAY_MS).toBeLessThan(31 + 30 + 2)
  })

  test('falls step by step, each when nothing keeps it any more', async () => {
    const [id, startedMs] = [await enrol(), await nowMs()]
    await earn(id, 1_500, startedMs - 20 * DAY_MS)
    await earn(id, 600, startedMs)
    expect(await tierOf(id)).toBe('Gold')
    await sendOutbox(house)
    expect(await result(id)).toMatchObject({ tier: 'Bronze' })
    const [, , , silver, bronze] = await changesOf(id)
    expect([silver.to, bronze.to]).toEqual(['Silver', 'Bronze'])
    expect((bronze.at - silver.at) / DAY_MS).toBeGreaterThan(18)
  })

  test('is kept by who earns enough again before it falls', async () => {
    const [id, startedMs] = [await enrol(), await nowMs()]
    await earn(id, 600, startedMs - 20 * DAY_MS)
    await sendOutbox(house) // to the date at which the first points let go
    await earn(id, 500, startedMs)
    expect(await result(id)).toMatchObject({ tier: 'Bronze' })
    const changes = await changesOf(id)
    expect(changes.map(({ to }) => to)).toEqual(['Bronze', 'Silver', 'Bronze'])
    expect((changes[2].at.getTime() - startedMs) / DAY_MS).toBeGreaterThan(28 + 30)
  })

  test('falls the same in a run started without the delay', async () => {
    const [id, startedMs] = [await enrol(), await nowMs()]
    // by a process that sends nothing, so that no run is begun but this
    await earn(id, 700, startedMs, createCommands({ pool: house.owner, engine: house.engine }))
    await env.client.workflow.start(WORKFLOW.tierReview, {
      workflowId: tierReviewWorkflowId(house.workspace, id),
      taskQueue: 'engagement',
      args: [
        {
          workspace: house.workspace,
          account: id,
          reviewsAt: new Date(startedMs + 10 * DAY_MS).toISOString(),
        },
      ],
    })
    expect(await result(id)).toMatchObject({ tier: 'Bronze' })
    expect((await nowMs()) - startedMs).toBeGreaterThan(58 * DAY_MS)
  })
})
