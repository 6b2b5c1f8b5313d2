import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { tierActivities } from '../../activities/tier.ts'
import { tierReassessOutbox } from '../../db/ledger.gen.ts'
import type { TierConfig } from '../../db/schema/index.ts'
import { newId } from '../../domain/ids.ts'
import { tierReassessmentWorkflowId, tierReviewWorkflowId, WORKFLOW } from '../../temporal/names.ts'
import { openShop, type Shop } from '../api/shop.ts'
import { sendOutbox } from '../support/outbox.ts'
import { startedRun } from '../support/run.ts'

let shop: Shop

beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop.close())
afterEach(async () => expect(await shop.reconcile()).toEqual([]))

const DAY_MS = 86_400_000
const accounts = '/v1/loyalty/accounts'
const TIERS = [
  { name: 'Bronze', rank: 0, threshold: 0, multiplier: 1 },
  { name: 'Silver', rank: 1, threshold: 500, multiplier: 1.25 },
  { name: 'Gold', rank: 2, threshold: 2_000, multiplier: 1.5 },
]
const LIFETIME: TierConfig = { qualifyOn: 'points', period: { type: 'lifetime' }, tiers: TIERS }
const YEAR: TierConfig = { ...LIFETIME, period: { type: 'rolling', months: 12 }, graceDays: 30 }
const SPEND: TierConfig = { ...YEAR, qualifyOn: 'spend' }
const CUSTOM: TierConfig = { ...LIFETIME, qualifyOn: 'custom' }

/** A program of its own with these tiers. */
async function program(config: TierConfig | null, decimals = 0): Promise<string> {
  const id = newId('prog')
  await shop.owner.query(
    'insert into program (workspace, id, name, tier_config, decimals) values ($1, $2, $2, $3, $4)',
    [shop.workspace, id, config, decimals],
  )
  return id
}
const reconfigure = (id: string, config: TierConfig | null) =>
  shop.owner.query('update program set tier_config = $2 where id = $1', [id, config])
const enrol = async (inProgram: string): Promise<string> =>
  (await shop.post(accounts, { program: inProgram })).body.id
const account = async (id: string) => (await shop.get(`${accounts}/${id}`)).body
const grant = (id: string, amount: number) =>
  shop.post('/v1/loyalty/transactions', { account: id, amount, reason: 'test' })
/** Points earned some days ago, reported only now. */
const earned = (id: string, amount: number, daysAgo = 0) =>
  shop.commands.postTransaction({
    workspace: shop.workspace,
    account: id,
    type: 'earn',
    amount,
    reason: 'test',
    operation: newId('op'),
    fingerprint: 'f',
    at: new Date(Date.now() - daysAgo * DAY_MS).toISOString(),
    expiresAt: null,
    batch: null,
    source: null,
    metadata: {},
    allowNegative: false,
  })
const spent = (id: string, payment: string, amount: number, currency = 'eur', daysAgo = 0) =>
  shop.owner.query(
    `select ledger_private.tier_spend_record(ledger_private.account_locked(workspace, id), $3, $4, $5, $6, now())
     from account where workspace = $1 and id = $2`,
    [shop.workspace, id, payment, amount, currency, new Date(Date.now() - daysAgo * DAY_MS)],
  )
const review = (id: string, inDays: number) =>
  tierActivities(shop).reviewTier({
    workspace: shop.workspace,
    account: id,
    at: new Date(Date.now() + inDays * DAY_MS).toISOString(),
  })
const tierEvents = async (id: string) => {
  const { rows } = await shop.owner.query(
    `select type, data ->> 'tier' as tier, previous ->> 'tier' as before from event
     where object = $1 and type like 'loyalty.tier.%' order by id`,
    [id],
  )
  return rows
}
const daysUntil = (date: string) => Math.round((Date.parse(date) - Date.now()) / DAY_MS)

describe('promotion', () => {
  it('is there on the answer after the points that reach it, with its event and history', async () => {
    const id = await enrol(await program(LIFETIME))
    expect(await account(id)).toMatchObject({
      tier: 'Bronze',
      tier_progress: {
        qualify_on: 'points',
        qualifying: 0,
        next: { tier: 'Silver', threshold: 500, missing: 500 },
        lapses_at: null,
      },
    })
    await grant(id, 499)
    expect(await account(id)).toMatchObject({
      tier: 'Bronze',
      tier_progress: { next: { missing: 1 } },
    })
    await grant(id, 1)
    await grant(id, 1_500)
    expect(await account(id)).toMatchObject({ tier: 'Gold', tier_progress: { next: null } })
    expect(await tierEvents(id)).toEqual([
      { type: 'loyalty.tier.upgraded', tier: 'Silver', before: 'Bronze' },
      { type: 'loyalty.tier.upgraded', tier: 'Gold', before: 'Silver' },
    ])
    const { body } = await shop.get(`${accounts}/${id}/tier_changes`)
    expect(body.data).toMatchObject([
      { from: 'Silver', to: 'Gold', cause: 'qualified' },
      { from: 'Bronze', to: 'Silver', cause: 'qualified' },
      { from: null, to: 'Bronze', cause: 'enrolled' },
    ])
  })

  it('may skip a tier', async () => {
    const id = await enrol(await program(LIFETIME))
    await grant(id, 5_000)
    expect((await tierEvents(id)).map(({ tier }) => tier)).toEqual(['Gold'])
  })

  it('of a lifetime is not undone by spending, nor by a clawback', async () => {
    const id = await enrol(await program(LIFETIME))
    await grant(id, 600)
    await grant(id, -600)
    expect(await account(id)).toMatchObject({ balance: 0, tier: 'Silver' })
  })

  it('compares thresholds in points whatever the decimals', async () => {
    const id = await enrol(await program(LIFETIME, 2))
    await grant(id, 499.99)
    expect(await account(id)).toMatchObject({
      tier: 'Bronze',
      tier_progress: { qualifying: 499.99, next: { threshold: 500, missing: 0.01 } },
    })
    await grant(id, 0.01)
    expect((await account(id)).tier).toBe('Silver')
  })

  it('happens once when many credits arrive at once', async () => {
    const id = await enrol(await program(LIFETIME))
    await Promise.all(Array.from({ length: 20 }, () => grant(id, 100)))
    expect((await tierEvents(id)).map(({ tier }) => tier)).toEqual(['Silver', 'Gold'])
  })

  it('opens the rewards of its tier', async () => {
    const inProgram = await program(LIFETIME)
    const id = await enrol(inProgram)
    await grant(id, 400)
    const reward = await shop.post('/v1/loyalty/rewards', {
      program: inProgram,
      name: 'Lounge',
      type: 'store_credit',
      cost: 100,
      value: { amount: 100, currency: 'EUR' },
      min_tier: 'Silver',
    })
    const ask = { account: id, reward: reward.body.id }
    expect((await shop.post('/v1/loyalty/redemptions', ask)).body.error.code).toBe('tier_required')
    await grant(id, 100)
    expect((await shop.post('/v1/loyalty/redemptions', ask)).status).toBe(201)
  })

  it('leaves members of programs without tiers alone', async () => {
    const id = await enrol(await program(null))
    await grant(id, 5_000)
    const member = await account(id)
    expect(member.tier).toBeNull()
    expect(member).not.toHaveProperty('tier_progress')
  })
})

describe('a rolling period', () => {
  it('counts what was earned within it, and says when the tier falls', async () => {
    const id = await enrol(await program(YEAR))
    await earned(id, 400, 500)
    await earned(id, 300, 200)
    expect(await account(id)).toMatchObject({ tier: 'Bronze', tier_progress: { qualifying: 300 } })
    await earned(id, 200, 100)
    const { tier, tier_progress } = await account(id)
    expect(tier).toBe('Silver')
    // the 300 leave first: a year after they came, a day's rest, 30 days of grace
    expect(daysUntil(tier_progress.lapses_at)).toBeGreaterThanOrEqual(365 - 200 + 30)
    expect(daysUntil(tier_progress.lapses_at)).toBeLessThanOrEqual(366 - 200 + 32)
  })

  it('keeps the tier through its grace, and takes it when that is over', async () => {
    const id = await enrol(await program(YEAR))
    await earned(id, 600, 360)
    expect((await account(id)).tier).toBe('Silver')
    const lapsesIn = daysUntil((await account(id)).tier_progress.lapses_at)
    expect(await review(id, lapsesIn - 1)).toMatchObject({ tier: 'Silver' })
    expect(await review(id, lapsesIn + 1)).toEqual({ tier: 'Bronze', reviewAt: null })
    expect(await tierEvents(id)).toMatchObject([
      { type: 'loyalty.tier.upgraded' },
      { type: 'loyalty.tier.downgraded', tier: 'Bronze', before: 'Silver' },
    ])
    expect(await review(id, lapsesIn + 1)).toEqual({ tier: 'Bronze', reviewAt: null })
    expect(await tierEvents(id)).toHaveLength(2)
  })

  it('earning again within the grace keeps the tier', async () => {
    const id = await enrol(await program(YEAR))
    await earned(id, 600, 360)
    const lapsesIn = daysUntil((await account(id)).tier_progress.lapses_at)
    await earned(id, 500, 0)
    const { tier, reviewAt } = await review(id, lapsesIn + 1)
    expect(tier).toBe('Silver')
    expect(daysUntil(reviewAt ?? '')).toBeGreaterThan(365)
  })

  it('falls to the tier that still holds, not to the lowest', async () => {
    const id = await enrol(await program(YEAR))
    await earned(id, 1_600, 300)
    await earned(id, 700, 10)
    expect((await account(id)).tier).toBe('Gold')
    const lapsesIn = daysUntil((await account(id)).tier_progress.lapses_at)
    expect(await review(id, lapsesIn + 1)).toMatchObject({ tier: 'Silver' })
  })
})

describe('spend', () => {
  it('counts what payments charged in the program’s currency, once each', async () => {
    const id = await enrol(await program(SPEND))
    await spent(id, 'pay_1', 300)
    await spent(id, 'pay_1', 300)
    await spent(id, 'pay_2', 900, 'usd')
    expect(await account(id)).toMatchObject({
      tier: 'Bronze',
      tier_progress: { qualify_on: 'spend', qualifying: 300, next: { missing: 200 } },
    })
    await spent(id, 'pay_3', 200)
    expect((await account(id)).tier).toBe('Silver')
    expect((await grant(id, 5_000)).status).toBe(201)
    expect((await account(id)).tier).toBe('Silver')
  })

  it('that is refunded costs the tier only after the grace, which later purchases do not prolong', async () => {
    const id = await enrol(await program(SPEND))
    await spent(id, 'pay_4', 600)
    await spent(id, 'pay_4', 100)
    const { tier, tier_progress } = await account(id)
    expect([tier, daysUntil(tier_progress.lapses_at)]).toEqual(['Silver', 30])
    await spent(id, 'pay_5', 50)
    expect((await account(id)).tier_progress.lapses_at).toBe(tier_progress.lapses_at)
    expect(await review(id, 29)).toMatchObject({ tier: 'Silver' })
    expect(await review(id, 31)).toMatchObject({ tier: 'Bronze' })
  })
})

describe('custom tiers', () => {
  it('are set by hand, once for each key, and no points change them', async () => {
    const id = await enrol(await program(CUSTOM))
    expect((await account(id)).tier).toBe('Bronze')
    const path = `${accounts}/${id}/set_tier`
    const options = { idempotencyKey: newId('op') }
    const set = await shop.post(path, { tier: 'Gold', reason: 'friend of the house' }, options)
    expect([set.status, set.body.tier]).toEqual([200, 'Gold'])
    await shop.post(path, { tier: 'Silver' })
    const late = await shop.post(path, { tier: 'Gold', reason: 'friend of the house' }, options)
    expect([late.body.tier, late.headers['idempotent-replayed']]).toEqual(['Silver', 'true'])
    await grant(id, 5_000)
    expect((await account(id)).tier).toBe('Silver')
    expect((await tierEvents(id)).map(({ type }) => type)).toEqual([
      'loyalty.tier.upgraded',
      'loyalty.tier.downgraded',
    ])
    const { body } = await shop.get(`${accounts}/${id}/tier_changes?limit=2`)
    expect(body.data).toMatchObject([
      { to: 'Silver', cause: 'set', reason: null },
      { to: 'Gold', cause: 'set', reason: 'friend of the house' },
    ])
  })

  it.each([
    ['a tier that is not there', CUSTOM, { tier: 'Platinum' }],
    ['a tier that points decide', LIFETIME, { tier: 'Gold' }],
    ['no tier named', CUSTOM, {}],
  ])('refuse %s', async (_name, config, body) => {
    const id = await enrol(await program(config))
    const answer = await shop.post(`${accounts}/${id}/set_tier`, body)
    expect([answer.status, answer.body.error.param]).toEqual([400, 'tier'])
    expect((await account(id)).tier).toBe('Bronze')
  })
})

describe('a merge', () => {
  const merge = (source: string, target: string) =>
    shop.post(`${accounts}/merge`, { source, target })

  it('promotes at once where both together reach it', async () => {
    const inProgram = await program(YEAR)
    const [source, target] = [await enrol(inProgram), await enrol(inProgram)]
    await earned(source, 300, 50)
    await earned(target, 300, 20)
    expect((await merge(source, target)).body).toMatchObject({
      tier: 'Silver',
      tier_progress: { qualifying: 600 },
    })
    const { body } = await shop.get(`${accounts}/${target}/tier_changes`)
    expect(body.data[0]).toMatchObject({ to: 'Silver', cause: 'merged' })
    expect(await review(source, 900)).toEqual({ tier: null, reviewAt: null })
  })

  it('keeps the higher of two tiers, and its grace', async () => {
    const inProgram = await program(CUSTOM)
    const [source, target] = [await enrol(inProgram), await enrol(inProgram)]
    await shop.post(`${accounts}/${source}/set_tier`, { tier: 'Gold' })
    expect((await merge(source, target)).body.tier).toBe('Gold')
  })

  it('brings the source’s spend along', async () => {
    const inProgram = await program(SPEND)
    const [source, target] = [await enrol(inProgram), await enrol(inProgram)]
    await spent(source, 'pay_a', 300)
    await spent(target, 'pay_b', 200)
    expect((await merge(source, target)).body.tier).toBe('Silver')
    await spent(source, 'pay_a', 1_900)
    expect((await account(target)).tier).toBe('Gold')
  })
})

describe('a change of the program’s tiers', () => {
  it('takes hold with the next points, also where a tier is gone', async () => {
    const inProgram = await program(null)
    const id = await enrol(inProgram)
    await grant(id, 700)
    await reconfigure(inProgram, LIFETIME)
    await grant(id, 1)
    expect((await account(id)).tier).toBe('Silver')
    await reconfigure(inProgram, {
      ...LIFETIME,
      tiers: [{ name: 'Friend', rank: 0, threshold: 0, multiplier: 1 }],
    })
    await grant(id, 1)
    const { body } = await shop.get(`${accounts}/${id}/tier_changes`)
    expect(body.data[0]).toMatchObject({ from: 'Silver', to: 'Friend', cause: 'reconfigured' })
  })
})

describe('the walk over a program’s members after a change of its tiers', () => {
  const walkOf = (id: string) =>
    shop.engine.client.workflow.getHandle(tierReassessmentWorkflowId(shop.workspace, id))
  /** What the last walk's run did, once it is over. */
  const walked = async (id: string) => {
    const isOver = async () =>
      (
        await shop.owner.query('select ended_at from tier_reassessment where program = $1', [id])
      ).rows.every((row) => row.ended_at !== null)
    await expect.poll(isOver, { timeout: 30_000 }).toBe(true)
    return walkOf(id).result()
  }
  const change = (id: string, tierConfig: TierConfig | null) =>
    shop.patch(`/v1/loyalty/programs/${id}`, { tierConfig })
  const tiersOf = async (id: string) => {
    const { rows } = await shop.owner.query(
      'select tier, count(*)::int as members from account where program = $1 group by 1 order by 1',
      [id],
    )
    return rows.map(({ tier, members }) => [tier, members])
  }
  /** Members of a program without tiers yet, with so many points each. */
  const populate = async (id: string, members: number, points: number) => {
    await shop.owner.query(
      `insert into account (workspace, id, program)
       select $1, 'loy_' || substr(md5($2 || n), 1, 20), $2 from generate_series(1, $3::int) n`,
      [shop.workspace, id, members],
    )
    await shop.owner.query(
      `select ledger.points_post($1, id, 'adjust', $3, 'test', id, 'f', now(), null, null, null, '{}', false)
       from account where program = $2`,
      [shop.workspace, id, points],
    )
  }
  const stepped = (second: number): TierConfig => ({
    ...LIFETIME,
    tiers: TIERS.map((tier) => (tier.rank === 1 ? { ...tier, threshold: second } : tier)),
  })

  it('judges everybody at once, without a write of theirs: a lower threshold promotes', async () => {
    const inProgram = await program(LIFETIME)
    const [poor, rich] = [await enrol(inProgram), await enrol(inProgram)]
    await grant(poor, 100)
    await grant(rich, 400)
    expect((await change(inProgram, stepped(300))).status).toBe(200)
    expect(await walked(inProgram)).toMatchObject({ judged: 2, changed: 1 })
    expect([(await account(poor)).tier, (await account(rich)).tier]).toEqual(['Bronze', 'Silver'])
    expect(await tierEvents(rich)).toEqual([
      { type: 'loyalty.tier.upgraded', tier: 'Silver', before: 'Bronze' },
    ])
    const { body } = await shop.get(`${accounts}/${rich}/tier_changes?limit=1`)
    expect(body.data[0]).toMatchObject({ to: 'Silver', cause: 'reconfigured' })
  })

  it('lets a raised threshold take the tier only after the grace, and starts that review', async () => {
    const inProgram = await program(YEAR)
    const id = await enrol(inProgram)
    await earned(id, 600)
    expect((await account(id)).tier).toBe('Silver')
    await change(inProgram, { ...YEAR, tiers: stepped(1_000).tiers })
    await walked(inProgram)
    const { tier, tier_progress } = await account(id)
    expect([tier, daysUntil(tier_progress.lapses_at)]).toEqual(['Silver', 30])
    const handle = await startedRun(shop.engine, tierReviewWorkflowId(shop.workspace, id))
    expect((await handle.describe()).status.name).toBe('RUNNING')
    expect(await review(id, 29)).toMatchObject({ tier: 'Silver' })
    expect(await review(id, 31)).toMatchObject({ tier: 'Bronze' })
  })

  it('replaces a tier that is gone, and takes all where the program has none any more', async () => {
    const inProgram = await program(LIFETIME)
    const id = await enrol(inProgram)
    await grant(id, 700)
    await change(inProgram, {
      ...LIFETIME,
      tiers: [{ name: 'Friend', rank: 0, threshold: 0, multiplier: 1 }],
    })
    await walked(inProgram)
    expect((await account(id)).tier).toBe('Friend')
    await change(inProgram, null)
    await walked(inProgram)
    expect((await account(id)).tier).toBeNull()
    expect((await tierEvents(id)).at(-1)).toMatchObject({
      type: 'loyalty.tier.downgraded',
      before: 'Friend',
    })
  })

  it('changed on the way starts over, and ends with everybody judged by the last tiers', async () => {
    const inProgram = await program(null)
    await populate(inProgram, 3_000, 600)
    await change(inProgram, LIFETIME)
    await expect
      .poll(async () => (await tiersOf(inProgram)).some(([tier]) => tier === 'Silver'))
      .toBe(true)
    await change(inProgram, stepped(700))
    await expect
      .poll(async () => (await walkOf(inProgram).describe()).status.name, { timeout: 30_000 })
      .toBe('COMPLETED')
    const { rows } = await shop.owner.query(
      'select revision, judged::int, ended_at is not null as ended from tier_reassessment where program = $1',
      [inProgram],
    )
    expect(rows).toEqual([{ revision: 2, judged: 3_000, ended: true }])
    expect((await tiersOf(inProgram)).map(([tier]) => tier)).not.toContain(null)
  })

  it('goes on where it stopped, by whoever does, and judging again changes nothing', async () => {
    const inProgram = await program(null)
    await populate(inProgram, 450, 600)
    await reconfigure(inProgram, LIFETIME)
    await shop.owner.query(
      `insert into tier_reassessment (workspace, program, through, judged, progressed_at)
       select $1, $2, id, 200, now() - interval '3 minutes' from account
       where program = $2 order by id collate "C" offset 199 limit 1`,
      [shop.workspace, inProgram],
    )
    const found = await shop.engine.client.workflow.execute(WORKFLOW.reconciler, {
      workflowId: newId('run'),
      taskQueue: shop.engine.taskQueue,
      args: [],
    })
    expect(found).toMatchObject({ tiers: 1 })
    expect(await walked(inProgram)).toMatchObject({ judged: 450, changed: 250 })
    expect(await tiersOf(inProgram)).toEqual([
      ['Silver', 250],
      [null, 200],
    ])
    await shop.owner.query(
      `update tier_reassessment set through = '', judged = 0, ended_at = null where program = $1`,
      [inProgram],
    )
    await tierReassessOutbox(shop.pool, { workspace: shop.workspace, program: inProgram })
    expect(await walked(inProgram)).toMatchObject({ judged: 450, changed: 200 })
    const { rows } = await shop.owner.query(
      `select count(*)::int as changes from tier_change c join account a on a.id = c.account where a.program = $1`,
      [inProgram],
    )
    expect(rows).toEqual([{ changes: 450 }])
  })

  it('is not called for by a change of anything else, nor by the same tiers again', async () => {
    const inProgram = await program(LIFETIME)
    await shop.patch(`/v1/loyalty/programs/${inProgram}`, { name: 'Other', tierConfig: LIFETIME })
    const { rows } = await shop.owner.query(
      'select count(*)::int as walks from tier_reassessment where program = $1',
      [inProgram],
    )
    expect(rows).toEqual([{ walks: 0 }])
  })
})

describe('the review', () => {
  const sweep = () =>
    shop.engine.client.workflow.execute(WORKFLOW.reconciler, {
      workflowId: newId('run'),
      taskQueue: shop.engine.taskQueue,
      args: [],
    })
  const started = (id: string) => startedRun(shop.engine, tierReviewWorkflowId(shop.workspace, id))
  const dueAt = async (id: string, at: Date) => {
    await shop.owner.query('update account set tier_review_at = $2 where id = $1', [id, at])
    await shop.owner.query(
      `select ledger_private.tier_review_outbox(a, 'changed') from account a where id = $1`,
      [id],
    )
    await sendOutbox(shop)
  }

  it('of a promotion is started with a delay to its date', async () => {
    const id = await enrol(await program(YEAR))
    await earned(id, 600, 100)
    const { tier_progress } = await account(id)
    const { raw, status } = await (await started(id)).describe()
    expect(status.name).toBe('RUNNING')
    const seconds = (time?: { seconds?: unknown } | null) => Number(time?.seconds)
    const { executionTime } = raw.workflowExecutionInfo ?? {}
    expect(
      Math.abs(seconds(executionTime) - Date.parse(tier_progress.lapses_at) / 1_000),
    ).toBeLessThan(5)
  })

  it('reviews at its date and takes the tier that nothing keeps any more', async () => {
    const inProgram = await program({ ...YEAR, graceDays: 0 })
    const id = await enrol(inProgram)
    await earned(id, 600, 70)
    await reconfigure(inProgram, { ...YEAR, graceDays: 0, period: { type: 'rolling', months: 1 } })
    await dueAt(id, new Date(Date.now() + 1_000))
    expect(await (await started(id)).result()).toMatchObject({ tier: 'Bronze' })
    expect((await account(id)).tier).toBe('Bronze')
  })

  it('signalled an earlier date while it waits, reviews then', async () => {
    const inProgram = await program({ ...YEAR, graceDays: 0 })
    const id = await enrol(inProgram)
    await earned(id, 600, 70)
    await started(id)
    await reconfigure(inProgram, { ...YEAR, graceDays: 0, period: { type: 'rolling', months: 1 } })
    await dueAt(id, new Date(Date.now() + 1_000))
    expect(await (await started(id)).result()).toMatchObject({ tier: 'Bronze' })
  })

  it('that was lost is found by the reconciler, two minutes past its date', async () => {
    const inProgram = await program({ ...YEAR, graceDays: 0 })
    const id = await enrol(inProgram)
    await earned(id, 600, 70)
    await reconfigure(inProgram, { ...YEAR, graceDays: 0, period: { type: 'rolling', months: 1 } })
    await shop.owner.query(
      `update account set tier_review_at = now() - interval '3 minutes' where id = $1`,
      [id],
    )
    expect(await sweep()).toMatchObject({ tiers: 1 })
    expect((await account(id)).tier).toBe('Bronze')
    expect(await sweep()).toMatchObject({ tiers: 0 })
  })
})
