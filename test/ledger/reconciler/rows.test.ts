import { MockActivityEnvironment } from '@temporalio/testing'
import { Registry } from 'prom-client'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { expiryActivities } from '../../../activities/expiry.ts'
import { liabilityActivities } from '../../../activities/liability.ts'
import { redemptionActivities } from '../../../activities/redemption.ts'
import { storeCreditActivities } from '../../../activities/store-credit.ts'
import { tierReassessmentActivities } from '../../../activities/tier.ts'
import { failuresTo } from '../../../app/failures.ts'
import { uploadCommands } from '../../../app/imports.ts'
import { insertPayment } from '../../../app/payments.ts'
import { reconcilerCommands } from '../../../app/reconciler.ts'
import { eachRow, workOff } from '../../../app/rows.ts'
import { seedWorkspace } from '../../../dev/demo.ts'
import type { Failure } from '../../../domain/failure.ts'
import { newId } from '../../../domain/ids.ts'
import { createLog } from '../../../process/log.ts'
import { type TestDatabase, testDatabase } from '../../support/database.ts'
import type { House } from '../../support/house.ts'
import { redeem } from '../../support/redeem.ts'
import { redeemItem } from '../../support/redeem-item.ts'
import { takeInUnfinished } from '../../support/unfinished.ts'

// Two rows of each kind, of which the longer overdue one cannot be done: its ledger function raises, or
// Temporal refuses the call about it.
let db: TestDatabase
let workspace: string
const failures: Failure[] = []
const found: Record<string, number> = {}
const signalled: string[] = []
const NOBODY = 'nobody'
let refused = NOBODY

const start = async (_type: string, { workflowId }: { workflowId: string }) => {
  if (workflowId.includes(refused)) throw new Error('not this one')
  signalled.push(workflowId)
}
const engine = {
  taskQueue: 'none',
  client: {
    withDeadline: <T>(_at: number, send: () => Promise<T>) => send(),
    workflow: { start, signalWithStart: start, count: async () => ({ count: 0 }) },
  },
} as unknown as House['engine']

const dependencies = () => ({
  pool: db.pool,
  engine,
  onFailure: (failure: Failure) => void failures.push(failure),
  reconciled: (kind: string, count: number) => {
    found[kind] = (found[kind] ?? 0) + count
  },
})
const house = () =>
  ({
    ...db,
    workspace,
    engine,
    activities: redemptionActivities({ pool: db.pool }),
  }) as unknown as House

beforeAll(async () => {
  db = await testDatabase()
  workspace = newId('ws')
  await seedWorkspace(db.pool, workspace, 'Test shop')
})
afterEach(async () => {
  failures.length = 0
  signalled.length = 0
  await db.owner.query('delete from workflow_outbox')
  refused = NOBODY
  for (const kind of Object.keys(found)) delete found[kind]
})
afterAll(async () => {
  expect(await db.reconcile()).toEqual([])
  await db.drop()
})

/** The ledger function raises where its second argument names `id`, as long as `run` runs. */
async function raising<T>(name: string, id: string, run: () => Promise<T>): Promise<T> {
  const { rows } = await db.owner.query(
    `select oidvectortypes(proargtypes) as types, pg_get_function_arguments(oid) as args,
       pg_get_function_result(oid) as result
     from pg_proc where proname = $1 and pronamespace = 'ledger'::regnamespace`,
    [name],
  )
  const { types, args, result } = rows[0]
  const given = types.split(', ').map((_: string, n: number) => `$${n + 1}`)
  await db.owner.query(`
    alter function ledger.${name}(${types}) rename to ${name}_whole;
    create function ledger.${name}(${args}) returns ${result} language plpgsql as $f$
    begin
      if $2 = '${id}' then raise exception 'not this one'; end if;
      ${result === 'void' ? 'perform' : 'return'} ledger.${name}_whole(${given.join(', ')});
    end $f$;
    grant execute on function ledger.${name}(${types}) to public`)
  try {
    return await run()
  } finally {
    await db.owner.query(`
      drop function ledger.${name}(${types}); alter function ledger.${name}_whole(${types}) rename to ${name}`)
  }
}

/** Workflows that are to be signalled. */
const outbox = async () =>
  (await db.owner.query('select workflow_id from workflow_outbox order by workflow_id')).rows.map(
    (row) => row.workflow_id,
  )

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()
const one = async (query: string, values: unknown[]) =>
  (await db.owner.query(query, values)).rows[0]
const reportOf = (kind: string, bad: string) => [
  expect.objectContaining({
    kind,
    error: expect.toSatisfy(
      ({ message, cause }: Error) =>
        message === 'not this one' || (cause instanceof Error && cause.message === 'not this one'),
    ),
    about: expect.toSatisfy((about: object) => Object.values(about).includes(bad)),
  }),
]
const BAD = 'loy_9f2k'
const GOOD = 'loy_8sd2k1'

describe('a row that cannot be done keeps none behind it waiting, and is counted and logged', () => {
  it('redemptions', async () => {
    const bad = await redeem(house(), { start: false, holdMs: -20 * 60_000 })
    const good = await redeem(house(), { start: false, holdMs: -10 * 60_000 })
    const { reconcileRedemptions } = reconcilerCommands(dependencies())
    expect(await raising('redemption_release', bad.redemption, reconcileRedemptions)).toBe(2)
    const status = async (id: string) =>
      (await one('select status from redemption where id = $1', [id])).status
    expect([await status(bad.redemption), await status(good.redemption)]).toEqual([
      'pending',
      'released',
    ])
    expect(failures).toEqual(reportOf('net_redemptions', bad.redemption))
    expect(found).toEqual({ redemptions: 2 })
    expect(await reconcileRedemptions()).toBe(1)
  })

  it('fulfilments', async () => {
    const bad = await redeemItem(house(), { start: false, deadlineMs: -20 * 60_000 })
    const good = await redeemItem(house(), { start: false, deadlineMs: -10 * 60_000 })
    const { reconcileFulfillments } = reconcilerCommands(dependencies())
    await raising('fulfillment_overdue', bad.redemption, reconcileFulfillments)
    const notices = async (id: string) =>
      (
        await one(`select fulfillment ->> 'overdue_notices' as n from redemption where id = $1`, [
          id,
        ])
      ).n
    expect([await notices(bad.redemption), await notices(good.redemption)]).toEqual([null, '1'])
    expect(failures).toEqual(reportOf('net_fulfillments', bad.redemption))
  })

  const payment = (id: string, at: string) =>
    insertPayment(db.pool, {
      workspace,
      payment: id,
      route: '',
      key: null,
      fingerprint: '',
      amount: 100,
      currency: 'eur',
      customer: null,
      metadata: {},
      redemptions: [],
      status: 'requires_payment',
      awaitsConfirmation: false,
      event: newId('evt'),
      at,
      expiresAt: at,
    })

  it('payments', async () => {
    const [bad, good] = [newId('pay'), newId('pay')]
    await payment(bad, minutesAgo(20))
    await payment(good, minutesAgo(10))
    await raising('payment_move', bad, reconcilerCommands(dependencies()).reconcilePayments)
    const status = async (id: string) =>
      (await one('select status from payment where id = $1', [id])).status
    expect([await status(bad), await status(good)]).toEqual(['requires_payment', 'expired'])
    expect(failures).toEqual(reportOf('net_payments', bad))
    await reconcilerCommands(dependencies()).reconcilePayments()
    await db.owner.query('update inbox set processed_at = now()')
  })

  const paid = (id: string, at: string) =>
    takeInUnfinished(db.owner, {
      workspace,
      provider: 'sandbox',
      endpoint: 'whs_test',
      content: [],
      event: newId('evt'),
      type: 'payment.completed',
      payload: {},
      payment: { id, amount: 100, currency: 'eur', customer: 'cust_abc123', refs: [] },
      status: 'completed',
      at,
    })

  it('inbox', async () => {
    const [bad, good] = [newId('pay'), newId('pay')]
    await paid(bad, minutesAgo(20))
    await paid(good, minutesAgo(10))
    await raising('payment_process', bad, reconcilerCommands(dependencies()).reconcileInbox)
    const waiting = async (id: string) =>
      (await one('select processed_at is null as waiting from inbox where payment = $1', [id]))
        .waiting
    expect([await waiting(bad), await waiting(good)]).toEqual([true, false])
    expect(failures).toEqual(reportOf('net_inbox', bad))
    await db.owner.query('update inbox set processed_at = now()')
  })

  it('earnings', async () => {
    await db.owner.query(
      `insert into earning_rule (workspace, id, program, trigger, award, pending_days, created_at)
       values ($1, 'erl_pending', 'prog_default', 'payment.completed', '{"fixed": 100}', 1, '2020-01-01')`,
      [workspace],
    )
    await db.owner.query(`update account set created_at = '2020-01-01'`)
    const [bad, good] = [newId('pay'), newId('pay')]
    for (const id of [bad, good]) {
      await paid(id, minutesAgo(25 * 60))
      await db.pool.query('select ledger.payment_process($1, $2, $3)', [
        workspace,
        id,
        minutesAgo(24.5 * 60),
      ])
    }
    await db.owner.query(
      `update earning set matures_at = matures_at - interval '1 minute' where source = $1`,
      [bad],
    )
    await raising('payment_process', bad, reconcilerCommands(dependencies()).reconcileEarnings)
    const outcome = async (id: string) =>
      (await one('select outcome from earning where source = $1', [id])).outcome
    expect([await outcome(bad), await outcome(good)]).toEqual(['pending', 'earned'])
    expect(failures).toEqual(reportOf('net_earnings', bad))
    await reconcilerCommands(dependencies()).reconcileEarnings()
  })

  it('tier reviews', async () => {
    const reviewed = (id: string, minutes: number) =>
      db.owner.query(`update account set tier_review_at = $2 where id = $1`, [
        id,
        minutesAgo(minutes),
      ])
    await reviewed(BAD, 20)
    await reviewed(GOOD, 10)
    await raising('tier_review', BAD, reconcilerCommands(dependencies()).reconcileTiers)
    const due = async (id: string) =>
      (await one('select tier_review_at from account where id = $1', [id])).tier_review_at
    expect([await due(BAD), await due(GOOD)]).toEqual([expect.any(Date), null])
    expect(failures).toEqual(reportOf('net_tiers', BAD))
    await db.owner.query('update account set tier_review_at = null')
  })

  it('walks over members', async () => {
    await db.owner.query(
      `insert into tier_reassessment (workspace, program, progressed_at)
       values ($1, 'prog_bad', now() - interval '20 minutes'), ($1, 'prog_good', now() - interval '10 minutes')`,
      [workspace],
    )
    const { reconcileTiers } = reconcilerCommands(dependencies())
    expect(await raising('tier_reassess_outbox', 'prog_bad', reconcileTiers)).toBe(2)
    expect(await outbox()).toEqual([`${workspace}/prog_good/tiers`])
    expect(failures).toEqual(reportOf('net_tiers', 'prog_bad'))
    await db.owner.query('delete from tier_reassessment')
  })

  it('a member of a walk', async () => {
    await db.owner.query(
      `insert into tier_reassessment (workspace, program, progressed_at) values ($1, 'prog_default', now())`,
      [workspace],
    )
    await db.owner.query(`update account set tier = 'Old' where id = any ($1)`, [[BAD, GOOD]])
    const { reassessTiers } = tierReassessmentActivities(dependencies())
    const walk = () =>
      new MockActivityEnvironment().run(reassessTiers, { workspace, program: 'prog_default' })
    expect(await raising('tier_reassess', BAD, walk)).toMatchObject({ ended: true, changed: 1 })
    const tier = async (id: string) =>
      (await one('select tier from account where id = $1', [id])).tier
    expect([await tier(BAD), await tier(GOOD)]).toEqual(['Old', null])
    expect(failures).toEqual(reportOf('tier_walk', BAD))
    await db.owner.query('update account set tier = null')
  })

  it('webhooks', async () => {
    const [bad, good] = [newId('we'), newId('we')]
    for (const [id, minutes] of [
      [bad, 20],
      [good, 10],
    ] as const) {
      await db.owner.query(
        `insert into webhook_endpoint (workspace, id, url, enabled_events, secret, created_at)
         values ($1, $2, 'http://192.0.2.1', '{x}', 'x', now())`,
        [workspace, id],
      )
      await db.owner.query(
        `insert into webhook_delivery (workspace, id, endpoint, event, next_attempt_at, created_at)
         values ($1, $2, $3, $4, $5, now())`,
        [workspace, `whd_${id}`, id, newId('evt'), minutesAgo(minutes)],
      )
    }
    refused = bad
    expect(await reconcilerCommands(dependencies()).reconcileWebhooks()).toBe(2)
    expect(signalled).toEqual([expect.stringContaining(good)])
    expect(failures).toEqual(reportOf('net_webhooks', bad))
    await db.owner.query('delete from webhook_delivery; delete from webhook_endpoint')
  })

  const due = async () => {
    for (const [id, minutes] of [
      [BAD, 20],
      [GOOD, 10],
    ] as const) {
      await db.owner.query('update account set expiry_wake_at = $2 where id = $1', [
        id,
        minutesAgo(minutes),
      ])
    }
  }
  const nextChecks = async () => [
    (await one('select expiry_wake_at as at from account where id = $1', [BAD])).at,
    (await one('select expiry_wake_at as at from account where id = $1', [GOOD])).at,
  ]

  it('expiries', async () => {
    await due()
    await raising('account_expire', BAD, reconcilerCommands(dependencies()).reconcileExpiries)
    expect(await nextChecks()).toEqual([expect.any(Date), null])
    expect(failures).toEqual(reportOf('net_expiries', BAD))
  })

  it('expiries of the minute’s batch, which ends all the same', async () => {
    await due()
    await db.owner.query(`
      create function refuse_row() returns trigger language plpgsql as $$ begin raise exception 'not this one'; end $$;
      create trigger refuse before update on account for each row when (new.id = '${BAD}') execute function refuse_row()`)
    const { expireDue } = expiryActivities(dependencies())
    try {
      const batch = () =>
        new MockActivityEnvironment().run(expireDue, { before: new Date().toISOString() })
      expect(await batch()).toBe(1)
      expect(await batch()).toBe(0)
    } finally {
      await db.owner.query('drop trigger refuse on account; drop function refuse_row')
    }
    expect(await nextChecks()).toEqual([expect.any(Date), null])
    expect(failures).toEqual([...reportOf('expiry', BAD), ...reportOf('expiry', BAD)])
    await db.owner.query('update account set expiry_wake_at = null')
  })

  it('imports and reversals', async () => {
    const [bad, good] = [newId('imp'), newId('imp')]
    await db.owner.query(
      `insert into bulk (workspace, id, kind, batch, total, fingerprint, created_at, progressed_at)
       values ($1, $2, 'import', 'b', 0, '', now(), now() - interval '20 minutes'),
         ($1, $3, 'import', 'b', 0, '', now(), now() - interval '10 minutes')`,
      [workspace, bad, good],
    )
    const { reconcileBulks } = reconcilerCommands(dependencies())
    expect(await raising('bulk_outbox', bad, reconcileBulks)).toBe(2)
    expect(await outbox()).toEqual([good])
    expect(failures).toEqual(reportOf('net_bulks', bad))
    await db.owner.query('delete from bulk')
  })

  it('files of imports whose process died while it read them; of one that lives nothing is removed', async () => {
    const uploads = [newId('upl'), newId('upl')]
    const { openUpload, keepChunk } = uploadCommands({ pool: db.pool, engine })
    for (const id of uploads) {
      expect(await openUpload({ workspace, id }, 4)).toBe(true)
      await keepChunk({ workspace, id }, { no: 0, rows: '[]' })
    }
    await db.owner.query(
      `update bulk_upload set alive_at = alive_at - interval '61 seconds' where id = $1`,
      [uploads[0]],
    )
    expect(await reconcilerCommands(dependencies()).reconcileBulks()).toBe(1)
    expect(found).toEqual({ bulks: 1 })
    const { rows } = await db.owner.query(
      'select u.id, c.bulk from bulk_upload u full join bulk_chunk c on c.bulk = u.id',
    )
    expect(rows).toEqual([{ id: uploads[1], bulk: uploads[1] }])
    await db.owner.query('with gone as (delete from bulk_chunk) delete from bulk_upload')
  })

  it('outbox rows, of which one that Temporal refuses keeps its own time', async () => {
    const write = (id: string, minutesOld: number, dueInMinutes: number, attempts: number) =>
      db.owner.query(
        `insert into workflow_outbox (workspace, workflow_id, workflow_type, input, facts, revision, change, written_at,
           next_attempt_at, attempts)
         values ($1, $2, 'payment', '{}', '{}', 1, 'changed', now() - interval '1 minute' * $3,
           now() + interval '1 minute' * $4, $5)`,
        [workspace, id, minutesOld, dueInMinutes, attempts],
      )
    await write('due, but nobody sweeps', 2, -1.5, 0)
    await write('claimed by a process that died', 2, 20, 0)
    await write('refused', 2, 5, 3)
    await write('of another process', 0.5, 0.1, 0)
    const { reconcileOutbox } = reconcilerCommands(dependencies())
    expect(await reconcileOutbox()).toBe(2)
    expect(found).toEqual({ outbox: 2 })
    const { rows } = await db.owner.query(
      'select workflow_id from workflow_outbox where next_attempt_at > now() order by 1',
    )
    expect(rows.map((row) => row.workflow_id)).toEqual(['of another process', 'refused'])
  })

  it('store credit', async () => {
    await db.owner.query(
      `with due as (select a, now() - interval '1 minute' * n as at from unnest($2::text[]) with ordinality x (a, n)),
        wallets as (
          insert into credit_wallet (workspace, account, currency, balance) select $1, a, 'EUR', 5 from due),
        issued as (
          insert into credit_transaction
            (workspace, id, account, program, currency, type, amount, balance_after, credit, operation, at, created_at)
          select $1, 'ctx_0' || a, a, 'prog_default', 'EUR', 'issue', 5, 5, 'crd_' || a, a, now(), now() from due)
       insert into credit
         (workspace, id, account, program, redemption, currency, amount, remaining, expires_at, created_at)
       select $1, 'crd_' || a, a, 'prog_default', '', 'EUR', 5, 5, at, now() from due`,
      [workspace, [GOOD, BAD]],
    )
    const { expireDueCredits } = storeCreditActivities(dependencies())
    const run = () =>
      new MockActivityEnvironment().run(expireDueCredits, { before: new Date().toISOString() })
    expect(await raising('credit_account_expire', BAD, run)).toBe(1)
    const balance = async (id: string) =>
      Number((await one('select balance from credit_wallet where account = $1', [id])).balance)
    expect([await balance(BAD), await balance(GOOD)]).toEqual([5, 0])
    expect(failures).toEqual(reportOf('credit_expiry', BAD))
    expect(await run()).toBe(1)
  })

  it('liability snapshots, of which the one that lacks is tried again', async () => {
    await db.owner.query(
      `insert into program select (jsonb_populate_record(p, '{"id": "prog_a"}')).* from program p
       where id = 'prog_default' and workspace = $1`,
      [workspace],
    )
    const midnight = `${new Date().toISOString().slice(0, 10)}T00:00:00.000Z`
    const { snapshotLiability } = liabilityActivities(dependencies())
    const run = () => snapshotLiability({ midnight })
    await expect(raising('liability_snapshot', 'prog_a', run)).rejects.toThrow('1 programs')
    const { rows } = await db.owner.query(
      `select object from event where type = 'program.liability.snapshot'`,
    )
    expect(rows).toEqual([{ object: 'prog_default' }])
    expect(failures).toEqual(reportOf('liability_snapshot', 'prog_a'))
    expect(await run()).toBe(1)
  })
})

describe('rows that cannot be done', () => {
  const refusing =
    (bad: number) =>
    async ({ n }: { n: string }) => {
      if (Number(n) < bad) throw new Error('not this one')
      left.delete(Number(n))
    }
  let left: Set<number>
  const find = async (limit: number, skip: number) =>
    [...left].slice(skip, skip + limit).map((n) => ({ n: String(n) }))
  const options = () => ({
    ...dependencies(),
    kind: 'x',
    most: 500,
    untilMs: performance.now() + 60_000,
  })

  it('hide nothing behind them, however many there are', async () => {
    left = new Set(Array.from({ length: 1_300 }, (_, n) => n))
    expect(await workOff(find, refusing(1_200), options())).toEqual({
      done: 100,
      passedOver: 1_200,
    })
    expect(left.size).toBe(1_200)
  })

  it('take no more time than there is, and no more rows are done than asked for', async () => {
    left = new Set(Array.from({ length: 1_300 }, (_, n) => n))
    const over = { ...options(), untilMs: performance.now() }
    expect(await workOff(find, refusing(0), over)).toEqual({ done: 0, passedOver: 0 })
    expect(await workOff(find, refusing(0), options())).toEqual({ done: 500, passedOver: 0 })
  })

  it('are none where Postgres or Temporal is away: the turn ends, nothing is counted', async () => {
    const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    const rows = [{ id: 'a' }, { id: 'b' }]
    const lost = eachRow(rows, () => Promise.reject(away), { ...dependencies(), kind: 'x' })
    await expect(lost).rejects.toBe(away)
    expect(failures).toEqual([])
    const locked = Object.assign(new Error('lock timeout'), { code: '55P03' })
    expect(
      await eachRow(rows, () => Promise.reject(locked), { ...dependencies(), kind: 'x' }),
    ).toEqual({ done: 0, passedOver: 2 })
  })
})

it('a failure is in the metrics by its kind, and in the log with its cause and ids', async () => {
  const lines: string[] = []
  const registry = new Registry()
  const log = createLog({ level: 'info', name: 'worker' }, { write: (line) => lines.push(line) })
  const cause = new Error('the cause')
  const error = new Error('failed', { cause })
  failuresTo(registry, log)({ kind: 'net_tiers', error, about: { workspace, id: 'loy_1' } })
  expect(await registry.metrics()).toContain('vinr_failures_total{kind="net_tiers"} 1')
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    kind: 'net_tiers',
    id: 'loy_1',
    err: { message: 'failed', cause: { message: 'the cause' } },
  })
})
