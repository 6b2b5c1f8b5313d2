import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { redemptionActivities } from '../../../activities/redemption.ts'
import { takeInPaymentEvent } from '../../../app/payments.ts'
import { redemptionCommands } from '../../../app/redemptions.ts'
import { transactionCommands } from '../../../app/transactions.ts'
import {
  accountExpire,
  accountMerge,
  accountSetStatus,
  expiryChecksEarlier,
} from '../../../db/ledger.gen.ts'
import { updateProgram } from '../../../db/programs.ts'
import type { ReportedPayment, ReportedRefund } from '../../../db/results/payment.ts'
import { transact } from '../../../db/workspace-client.ts'
import { seedWorkspace } from '../../../dev/demo.ts'
import { newId } from '../../../domain/ids.ts'
import { type TestDatabase, testDatabase } from '../../support/database.ts'
import { Runs } from '../../support/property.ts'
import { type ModelDebit, type ModelLot, ModelMember } from './member-model.ts'

/** One thing that can happen to one of some members. Times are hours of a simulated clock. */
type Step =
  | { do: 'earn'; who: number; points: number; livesHours: number | null }
  | { do: 'spend' | 'claw back'; who: number; points: number }
  | { do: 'redeem' | 'close' | 'reopen'; who: number }
  | { do: 'release' | 'apply'; which: number }
  | { do: 'reverse part'; which: number; share: number }
  | { do: 'merge'; who: number; into: number }
  | { do: 'pay'; who: number; points: number; dated: boolean }
  | { do: 'refund'; which: number; share: number }
  | { do: 'refund fails'; which: number }
  | { do: 'expire'; who: number }
  | { do: 'warn'; days: number | null }
  | { do: 'wait'; hours: number }

const MEMBERS = 4
const COST = 80
const HOUR_MS = 3_600_000
const who = fc.nat(MEMBERS - 1)
const points = fc.integer({ min: 1, max: 300 })
const which = fc.nat(20)
const is = <T extends string>(name: T) => fc.constant(name)

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: is('earn'),
      who,
      points,
      livesHours: fc.option(fc.integer({ min: 1, max: 60 })),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: is('spend'), who, points }) },
  { weight: 3, arbitrary: fc.record({ do: is('claw back'), who, points }) },
  { weight: 3, arbitrary: fc.record({ do: is('redeem'), who }) },
  { weight: 2, arbitrary: fc.record({ do: is('release'), which }) },
  { weight: 2, arbitrary: fc.record({ do: is('apply'), which }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: is('reverse part'),
      which,
      share: fc.integer({ min: 1, max: 100 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: is('merge'), who, into: who }) },
  { weight: 3, arbitrary: fc.record({ do: is('pay'), who, points, dated: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: is('refund'), which, share: fc.integer({ min: 1, max: 100 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: is('refund fails'), which }) },
  { weight: 3, arbitrary: fc.record({ do: is('expire'), who }) },
  { weight: 1, arbitrary: fc.record({ do: is('close'), who }) },
  { weight: 1, arbitrary: fc.record({ do: is('reopen'), who }) },
  { weight: 2, arbitrary: fc.record({ do: is('wait'), hours: fc.integer({ min: 1, max: 24 }) }) },
  { weight: 1, arbitrary: fc.record({ do: is('wait'), hours: fc.constant(24 * 20) }) },
)

const LAST = -1 // of `which`
/** A dated earn, refunded, and checked before that refund fails: with nothing else left that expires. */
const refundFailsAfterACheck: fc.Arbitrary<Step[]> = fc
  .record({ who, points, share: fc.constantFrom(100, 40) })
  .map(({ who, points, share }) => [
    { do: 'wait', hours: 24 * 20 },
    { do: 'pay', who, points, dated: true },
    { do: 'refund', which: LAST, share },
    { do: 'expire', who },
    { do: 'refund fails', which: LAST },
  ])
const steps = fc
  .tuple(
    fc.array(
      fc.oneof(
        { weight: 30, arbitrary: step.map((one) => [one]) },
        { weight: 1, arbitrary: refundFailsAfterACheck },
      ),
      { minLength: 10, maxLength: 50, size: 'max' },
    ),
    fc.option(refundFailsAfterACheck), // last, so that no later check corrects its date
  )
  .map(([parts, last]) => [...parts.flat(), ...(last ?? [])])

/**
 * Each member has points that expire within days when the program begins to warn of it a week ahead. No step of
 * the others, for it has every account checked that should be: what else loses a check would not be seen.
 */
const warnsAfterACredit: Step[] = [
  { do: 'warn', days: null },
  { do: 'earn', who: 0, points: 1, livesHours: 48 },
  { do: 'warn', days: 7 },
]

/**
 * A refund of points that had all expired took none, so that none come back when it fails; what came due on the
 * account since stays on it until the next write that moves points.
 */
const refundOfExpiredFails: Step[] = [
  { do: 'pay', who: 0, points: 3, dated: true },
  { do: 'wait', hours: 24 * 40 },
  { do: 'refund', which: LAST, share: 100 },
  { do: 'earn', who: 0, points: 1, livesHours: 1 },
  { do: 'wait', hours: 2 },
  { do: 'refund fails', which: LAST },
]

const workspace = newId('ws')
let db: TestDatabase

beforeAll(async () => {
  db = await testDatabase()
  await seedWorkspace(db.pool, workspace, 'Test shop')
  await db.owner.query(
    'update program set expiry_months = 1, expiry_warn_days_before = 7 where workspace = $1',
    [workspace],
  )
  await db.owner.query(
    `insert into reward (workspace, id, program, name, type, cost, value)
     values ($1, 'rwd_any', 'prog_default', 'r', 'discount_amount', $2, '{"amount": 100, "currency": "EUR"}')`,
    [workspace, COST],
  )
  await db.owner.query(
    `insert into earning_rule (workspace, id, program, trigger, award, created_at)
     values ($1, 'erl_any', 'prog_default', 'payment.completed',
       '{"per_amount": {"points": 1, "amount": 100, "currency": "eur"}}', '2020-01-01')`,
    [workspace],
  )
})
afterAll(() => db.drop())

test('whatever happens to members in whatever order, merges too, no point is lost or made and the books hold', async () => {
  const seen: Record<string, number> = {}
  const stepsOf = new Map<unknown, Step[]>() // by account, for the books name no seed
  const runs = new Runs({ withinMs: 240_000, least: 30 })
  await fc.assert(
    fc.asyncProperty(
      steps,
      runs.of(async (steps) => {
        const history = await History.begin()
        for (const id of history.ids) stepsOf.set(id, steps)
        for (const one of steps) {
          const outcome = await history.apply(one)
          seen[`${one.do} ${outcome}`] = (seen[`${one.do} ${outcome}`] ?? 0) + 1
        }
        await history.compare()
      }),
    ),
    { numRuns: runs.numRuns, examples: [[warnsAfterACredit], [refundOfExpiredFails]] },
  )
  const broken = (await db.reconcile()) as { subject: string }[]
  expect(broken.map((line) => ({ ...line, steps: stepsOf.get(line.subject) }))).toEqual([])
  // the histories are worth something: merges happened, and were refused, ten times in sixty runs
  for (const name of [
    'merge merged',
    'merge refused',
    'reverse part reversed',
    'claw back posted',
    'refund clawed',
    'refund fails returned',
    'refund fails returned to a date after a check',
  ]) {
    expect([name, (seen[name] ?? 0) > runs.made / 6]).toEqual([name, true])
  }
}, 600_000) // some 2,000 steps, each a transaction or two

type Paid = {
  id: string
  member: ModelMember
  lot: ModelLot
  refunded: boolean
  refund?: { id: string; amount: number; debit: ModelDebit; failed: boolean; checked: boolean }
}
type Hold = { id: string; member: ModelMember; debit: ModelDebit; left: number; pending: boolean }

class History {
  readonly ids: string[]
  readonly members = Array.from({ length: MEMBERS }, () => new ModelMember())
  readonly held: Hold[] = []
  readonly paid: Paid[] = []
  // starts ahead of the clock: a create refuses a start too long ago, but never one ahead
  nowMs = Date.now() + HOUR_MS
  readonly points = transactionCommands({ pool: db.pool })
  readonly redemptions = {
    ...redemptionActivities({ pool: db.pool }),
    ...redemptionCommands({ pool: db.pool }),
  }

  constructor(ids: string[]) {
    this.ids = ids
  }

  static async begin(): Promise<History> {
    const ids = Array.from({ length: MEMBERS }, () => newId('loy'))
    await db.owner.query(
      `insert into account (workspace, id, program) select $1, unnest($2::text[]), 'prog_default'`,
      [workspace, ids],
    )
    const history = new History(ids)
    for (const index of ids.keys()) {
      await history.apply({
        do: 'earn',
        who: index,
        points: 3 * COST,
        livesHours: 30 * (index + 1),
      })
    }
    return history
  }

  get at(): string {
    return new Date(this.nowMs).toISOString()
  }

  async apply(one: Step): Promise<string> {
    this.nowMs += 1_000
    switch (one.do) {
      case 'wait':
        this.nowMs += one.hours * HOUR_MS
        return 'done'
      case 'warn':
        return this.warn(one.days)
      case 'earn':
        return this.earn(one.who, one.points, one.livesHours)
      case 'spend':
        return this.take('adjust', one.who, one.points)
      case 'claw back':
        return this.take('clawback', one.who, one.points)
      case 'redeem':
        return this.redeem(one.who)
      case 'close':
        return this.setStatus(one.who, 'closed')
      case 'reopen':
        return this.setStatus(one.who, 'active')
      case 'merge':
        return this.merge(one.who, one.into)
      case 'pay':
        return this.pay(one.who, one.points, one.dated)
      case 'refund':
        return this.refund(one.which, one.share)
      case 'refund fails':
        return this.failRefund(one.which)
      case 'expire':
        await accountExpire(db.pool, { workspace, account: at(this.ids, one.who), at: this.at })
        at(this.members, one.who).expire(this.nowMs)
        for (const paid of this.paid) {
          if (paid.refund && this.memberOf(paid) === at(this.members, one.who))
            paid.refund.checked = true
        }
        return 'checked'
      default:
        return this.settle(one)
    }
  }

  /** The program warns so many days before a date from now on, or not at all. */
  private async warn(days: number | null): Promise<string> {
    await transact(db.pool, workspace, async (tx) => {
      await updateProgram(tx, workspace, 'prog_default', { expiryWarnDaysBefore: days })
      await expiryChecksEarlier(tx, {
        workspace,
        program: 'prog_default',
        at: new Date(this.nowMs),
      })
    })
    return days === null ? 'no more' : 'begun'
  }

  private async earn(index: number, amount: number, livesHours: number | null): Promise<string> {
    const member = at(this.members, index)
    const dueMs = livesHours === null ? null : this.nowMs + livesHours * HOUR_MS
    const { outcome } = await this.post('earn', index, amount, dueMs)
    expect(outcome).toBe(member.closed ? 'refused' : 'posted')
    if (member.closed) return outcome
    member.expire(this.nowMs)
    member.credit(amount, dueMs, this.nowMs)
    return outcome
  }

  private async take(type: 'adjust' | 'clawback', index: number, amount: number): Promise<string> {
    const member = at(this.members, index)
    const { outcome } = await this.post(type, index, -amount, null)
    if (member.closed && type === 'adjust') {
      expect(outcome).toBe('refused')
      return outcome
    }
    member.expire(this.nowMs)
    const debit = member.debit(amount, type === 'clawback', this.nowMs)
    expect(outcome).toBe(debit ? 'posted' : 'refused')
    return outcome
  }

  private post(
    type: 'earn' | 'adjust' | 'clawback',
    index: number,
    amount: number,
    dueMs: number | null,
  ) {
    return this.points.postTransaction({
      workspace,
      account: at(this.ids, index),
      type,
      amount,
      reason: 'test',
      operation: newId('op'),
      fingerprint: 'f',
      at: this.at,
      expiresAt: dueMs === null ? null : new Date(dueMs).toISOString(),
      batch: null,
      source: null,
      metadata: {},
      allowNegative: type === 'clawback',
    })
  }

  private async redeem(index: number): Promise<string> {
    const member = at(this.members, index)
    const id = newId('rdm')
    const { outcome } = await this.redemptions.createRedemption({
      workspace,
      redemption: id,
      account: at(this.ids, index),
      reward: 'rwd_any',
      quantity: 1,
      at: this.at,
      dueAt: new Date(this.nowMs + 365 * 24 * HOUR_MS).toISOString(),
      holdMinutes: 30,
      code: id,
      fingerprint: 'f',
      shipping: null,
      metadata: {},
    })
    member.expire(this.nowMs)
    const debit = member.closed ? undefined : member.debit(COST, false, this.nowMs)
    expect(outcome).toBe(debit ? 'created' : 'refused')
    if (debit) this.held.push({ id, member, debit, left: COST, pending: true })
    return outcome
  }

  private async settle(one: {
    do: 'release' | 'apply' | 'reverse part'
    which: number
    share?: number
  }): Promise<string> {
    const held = this.held[one.which % Math.max(this.held.length, 1)]
    if (!held || held.left === 0) return 'nothing'
    const { id, debit } = held
    const ask = {
      workspace,
      redemption: id,
      at: this.at,
      operation: newId('op'),
      fingerprint: 'f',
      reason: 'test',
    }
    if (one.do !== 'release' && held.pending) {
      await db.owner.query(`update redemption set status = 'applied' where id = $1`, [id])
      await db.owner.query('delete from workflow_outbox where workflow_id = $1', [id])
      held.pending = false
    }
    if (one.do === 'apply') return 'applied'
    if (one.do === 'release' && !held.pending) return 'nothing'
    const back =
      one.do === 'release'
        ? held.left
        : Math.max(1, Math.floor((held.left * (one.share ?? 100)) / 100))
    const { outcome, refusal } =
      one.do === 'release'
        ? await this.redemptions.cancelRedemption(ask)
        : await this.redemptions.reverseRedemption({ ...ask, points: back })
    expect(refusal).toBeUndefined()
    const member = this.memberOf(held)
    member.expire(this.nowMs)
    member.giveBack(debit, back, this.nowMs)
    held.left -= back
    held.pending = false
    return outcome
  }

  /** A payment of so many euros that names the account, and earns a point for each, which may expire. */
  private async pay(index: number, euros: number, dated: boolean): Promise<string> {
    const member = at(this.members, index)
    const id = newId('pay')
    await this.expiryMode(dated ? 'rolling' : 'never')
    await this.report(id, [], {
      id,
      amount: euros * 100,
      currency: 'eur',
      metadata: { loyalty_account: at(this.ids, index) },
      refs: [],
    })
    await this.expiryMode('never')
    if (member.closed) return 'not earned'
    member.expire(this.nowMs)
    const { rows } = await db.owner.query<{ expires_at: Date | null }>(
      `select l.expires_at from ptx t join lot l on l.id = t.id where t.payment = $1 and t.type = 'earn'`,
      [id],
    )
    const dueMs = rows[0]?.expires_at?.getTime() ?? null
    expect(dueMs !== null).toBe(dated)
    this.paid.push({
      id,
      member,
      lot: member.credit(euros, dueMs, this.nowMs),
      refunded: false,
    })
    return dated ? 'earned with a date' : 'earned'
  }

  private async expiryMode(mode: 'rolling' | 'never'): Promise<void> {
    await db.owner.query('update program set expiry_mode = $2 where workspace = $1', [
      workspace,
      mode,
    ])
  }

  /** One refund of a payment, by a share of it; a second one would only repeat the first. */
  private async refund(which: number, share: number): Promise<string> {
    const open = this.paid.filter(({ refunded }) => !refunded)
    const paid = open.at(which % Math.max(open.length, 1))
    if (!paid) return 'nothing'
    const amount = paid.lot.points * share // percent of cents: whole euros times 100
    const points = Math.floor((paid.lot.points * amount) / (paid.lot.points * 100))
    const id = `re_${paid.id}`
    await this.report(paid.id, [{ id, amount }])
    paid.refunded = true
    if (points === 0) return 'too little'
    const member = this.memberOf(paid)
    member.expire(this.nowMs)
    paid.refund = {
      id,
      amount,
      debit: member.clawBack(paid.lot, points, this.nowMs),
      failed: false,
      checked: false,
    }
    return 'clawed'
  }

  private async failRefund(which: number): Promise<string> {
    const standing = this.paid.filter(({ refund }) => refund?.failed === false)
    const paid = standing.at(which % Math.max(standing.length, 1))
    if (!paid?.refund) return 'nothing'
    const { id, amount, debit } = paid.refund
    await this.report(paid.id, [{ id, amount, status: 'failed' }])
    paid.refund.failed = true
    if (debit.points === 0) return 'returned nothing'
    const member = this.memberOf(paid)
    member.expire(this.nowMs)
    member.giveBack(debit, debit.points, this.nowMs)
    return paid.lot.dueMs !== null && paid.refund.checked
      ? 'returned to a date after a check'
      : 'returned'
  }

  private async report(
    subject: string,
    refunds: ReportedRefund[],
    payment: ReportedPayment | null = null,
  ): Promise<void> {
    const { failure } = await takeInPaymentEvent(db.pool, {
      workspace,
      provider: 'sandbox',
      endpoint: 'whs_test',
      content: [],
      event: newId('evt'),
      type: payment ? 'payment.completed' : 'refund.created',
      payload: {},
      at: this.at,
      status: payment ? 'completed' : null,
      payment,
      more: { subject, refunds },
    })
    expect(failure).toBeUndefined()
  }

  private async setStatus(index: number, status: 'active' | 'closed'): Promise<string> {
    const changed = await accountSetStatus.answer(db.pool, {
      ...this.request(),
      id: at(this.ids, index),
      status,
      at: this.at,
    })
    if ('refusal' in changed) return changed.refusal.code
    at(this.members, index).closed = status === 'closed'
    return changed.outcome
  }

  private async merge(from: number, into: number): Promise<string> {
    const [source, target] = [at(this.members, from), at(this.members, into)]
    const merged = await accountMerge.answer(db.pool, {
      ...this.request(),
      source: at(this.ids, from),
      target: at(this.ids, into),
      at: this.at,
    })
    const isFree = !this.held.some(
      (held) => held.pending && [source, target].includes(this.memberOf(held)),
    )
    if ('refusal' in merged) {
      const wasMerged = this.sources.has(from)
      expect(source === target || wasMerged || target.closed || !isFree).toBe(true)
      return 'refused'
    }
    if (merged.outcome === 'replayed') {
      expect(source).toBe(target)
      return 'replayed'
    }
    expect(isFree && source !== target).toBe(true)
    for (const one of [source, target]) one.expire(this.nowMs)
    target.absorb(source)
    this.sources.add(from)
    this.members.forEach((member, index) => {
      if (member === source) this.members[index] = target
    })
    this.absorbed.set(source, target)
    return merged.outcome
  }

  private readonly sources = new Set<number>()
  private readonly absorbed = new Map<ModelMember, ModelMember>()

  private memberOf({ member }: { member: ModelMember }): ModelMember {
    let survivor = member
    for (let next = this.absorbed.get(survivor); next; next = this.absorbed.get(survivor))
      survivor = next
    return survivor
  }

  private request() {
    return { workspace, route: 'test', key: null, fingerprint: 'f' }
  }

  async compare(): Promise<void> {
    for (const [index, id] of this.ids.entries()) {
      const account = await db.owner.query(
        'select balance::int, lifetime_points::int as lifetime, status from account where id = $1',
        [id],
      )
      const lots = await db.owner.query(
        'select remaining::int, points::int from lot where account = $1 order by earned_at, id',
        [id],
      )
      const model = at(this.members, index)
      const expected = this.sources.has(index)
        ? { account: { balance: 0, lifetime: 0, status: 'merged' }, lots: [] }
        : {
            account: {
              balance: model.balance,
              lifetime: model.lifetime,
              status: model.closed ? 'closed' : 'active',
            },
            lots: model.lots.map(({ lot }) => ({ remaining: lot.remaining, points: lot.points })),
          }
      expect({ account: account.rows[0], lots: lots.rows }).toEqual(expected)
    }
  }
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index]
  if (item === undefined) throw new Error(`nothing at ${index}`)
  return item
}
