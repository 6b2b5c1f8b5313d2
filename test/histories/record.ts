import { writeFile } from 'node:fs/promises'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { armPayment } from '../../temporal/payment.ts'
import { armRedemption, askRedemption, fulfillmentInputOf } from '../../temporal/redemption.ts'
import { finishReportedEvent } from '../../temporal/reported-event.ts'
import { armTierReview, tellReassessment } from '../../temporal/tier-review.ts'
import {
  cancel,
  confirm,
  extend,
  fulfill,
  paymentWorkflowId,
  reportedEventWorkflowId,
  reverse,
  tierReviewWorkflowId,
  WORKFLOW,
} from '../../workflows/messages.ts'
import { tierReassessmentWorkflowId } from '../../workflows/messages.ts'
import { type House, openHouse } from '../support/house.ts'
import { ended, pay, redeem } from '../support/redeem.ts'
import { eventsOf, itemReward, redeemItem } from '../support/redeem-item.ts'

// Not a test of the product: it records what `replay.test.ts` replays. A history that is there
// stays, unless its file is deleted first: old ones are what running workflows look like.

let house: House

beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house.close())

const operation = () => ({ operation: newId('op'), fingerprint: 'test' })

const inMs = (ms: number) => new Date(Date.now() + ms).toISOString()

/** A member of the default program, which now has tiers by the year, with points earned 70 days ago. */
async function tieredMember(points: number): Promise<string> {
  const tiers = [
    { name: 'Bronze', rank: 0, threshold: 0, multiplier: 1 },
    { name: 'Silver', rank: 1, threshold: 500, multiplier: 1 },
  ]
  const config = { qualifyOn: 'points', period: { type: 'rolling', months: 12 }, graceDays: 0, tiers }
  await house.owner.query(`update program set tier_config = $1 where id = 'prog_default'`, [config])
  const account = newId('loy')
  await house.owner.query(
    `insert into account (workspace, id, program) values ($1, $2, 'prog_default')`,
    [house.workspace, account],
  )
  await house.owner.query(
    `select points_post($1, $2, 'earn', $3, 'test', $2, 'f', now() - interval '70 days', null, null, null, '{}', false)`,
    [house.workspace, account, points],
  )
  return account
}

const OUTCOMES: Record<string, () => Promise<string>> = {
  'redemption applied': async () => {
    const { redemption } = await redeem(house)
    await pay(house, [redemption])
    return redemption
  },
  'redemption released by a failed payment': async () => {
    const { redemption } = await redeem(house)
    await pay(house, [redemption], 'failed')
    return redemption
  },
  'redemption released at its deadline': async () =>
    (await redeem(house, { holdMs: 500 })).redemption,
  'redemption started without delay, released at its deadline': async () => {
    const input = await redeem(house, { arm: false, holdMs: 1_000 })
    await house.engine.client.workflow.start(WORKFLOW.redemption, {
      workflowId: input.redemption,
      taskQueue: house.engine.taskQueue,
      args: [input],
    })
    return input.redemption
  },
  'redemption cancelled': async () => {
    const input = await redeem(house)
    await askRedemption(house.engine, input, cancel, { ...operation(), reason: 'changed_mind' })
    return input.redemption
  },
  'redemption confirmed at a till': async () => {
    const input = await redeem(house)
    await askRedemption(house.engine, input, confirm, operation())
    return input.redemption
  },
  'redemption cancelled by an operator': async () => {
    const { redemption } = await redeem(house)
    await house.engine.client.workflow.getHandle(redemption).cancel()
    return redemption
  },
  'redemption extended, then reversed': async () => {
    const input = await redeem(house)
    await askRedemption(house.engine, input, extend, { ...operation(), minutes: 5 })
    await askRedemption(house.engine, input, reverse, { ...operation(), reason: 'mistake' })
    return input.redemption
  },
  'redemption never created': async () => {
    const redemption = newId('rdm')
    const releasesAt = new Date(Date.now() + 200).toISOString()
    const about = { account: 'loy_9f2k', reward: 'rwd_fivecredit', creationWindowMs: 100 }
    const input = { workspace: house.workspace, redemption, releasesAt, ...about }
    await armRedemption(house.engine, input, 200)
    return redemption
  },
  'fulfillment shipped in two parcels': async () => {
    const input = await redeemItem(house, { quantity: 2 })
    for (const tracking of ['a', 'b']) {
      const parcel = { tracking, carrier: 'DHL', quantity: 1 }
      await askRedemption(house.engine, input, fulfill, { ...operation(), ...parcel })
    }
    return input.redemption
  },
  'fulfillment reversed before it is shipped': async () => {
    const input = await redeemItem(house)
    await askRedemption(house.engine, input, reverse, { ...operation(), reason: 'changed_mind' })
    return input.redemption
  },
  'fulfillment overdue, then shipped': async () => {
    const input = await redeemItem(house, { deadlineMs: 500 })
    await expect.poll(() => eventsOf(house, input.redemption)).toHaveLength(2)
    const parcel = { tracking: 'a', carrier: null }
    await askRedemption(house.engine, input, fulfill, { ...operation(), ...parcel })
    return input.redemption
  },
  'fulfillment refunded at its deadline': async () => {
    const reward = await itemReward(house, { onOverdue: 'refund' })
    return (await redeemItem(house, { reward, deadlineMs: 500 })).redemption
  },
  'fulfillment cancelled by an operator': async () => {
    const { redemption } = await redeemItem(house)
    await house.engine.client.workflow.getHandle(redemption).cancel()
    return redemption
  },
  'fulfillment never created': async () => {
    const id = newId('rdm')
    const about = { id, account: 'loy_9f2k', reward: 'rwd_totebag' }
    const deadline = new Date(Date.now() + 200).toISOString()
    const run = fulfillmentInputOf(house.workspace, about, deadline)
    await armRedemption(house.engine, { ...run, creationWindowMs: 100 }, 200)
    return id
  },
  'net with an overdue fulfillment': async () => {
    await redeemItem(house, { arm: false, deadlineMs: -600_000 })
    const workflowId = newId('run')
    await house.engine.client.workflow.start(WORKFLOW.net, {
      workflowId,
      taskQueue: house.engine.taskQueue,
      args: [],
    })
    return workflowId
  },
  'payment canceled before its expiry': async () => {
    const { payment } = await pay(house, [], 'requires_payment')
    const id = payment?.id ?? ''
    const expiresAt = new Date(Date.now() + 86_400_000).toISOString()
    await armPayment(
      house.engine,
      { workspace: house.workspace, payment: id, expiresAt },
      86_400_000,
    )
    await house.activities.movePayment({
      workspace: house.workspace,
      payment: id,
      status: 'canceled',
      event: newId('evt'),
      at: new Date().toISOString(),
    })
    return paymentWorkflowId(house.workspace, id)
  },
  'event handed over by a request that lost the database': async () => {
    const at = new Date().toISOString()
    const eventId = newId('op')
    await house.owner.query(
      `insert into event_type (workspace, id, name, schema) values ($1, 'ety_recorded', 'RECORDED', '{}')`,
      [house.workspace],
    )
    await finishReportedEvent(house.engine, {
      workspace: house.workspace,
      id: newId('evt'),
      eventId,
      fingerprint: 'test',
      type: 'RECORDED',
      user: 'loy_8sd2k1',
      payload: { points: 1 },
      occurredAt: at,
      strict: false,
      dryRun: false,
      reactors: 'active',
    })
    return reportedEventWorkflowId(house.workspace, eventId)
  },
  'credit expiry with nothing due': async () => {
    const workflowId = newId('run')
    await house.engine.client.workflow.start(WORKFLOW.creditExpiry, {
      workflowId,
      taskQueue: house.engine.taskQueue,
      args: [],
    })
    return workflowId
  },
  'tier review demotion after the grace': async () => {
    const account = await tieredMember(700)
    // the tiers now ask for more than anybody has; the grace is over in half a second
    await house.owner.query(
      `update program set tier_config = jsonb_set(tier_config, '{period,months}', '1') where id = 'prog_default'`,
    )
    const reviewsAt = new Date(Date.now() + 500).toISOString()
    await house.owner.query('update account set tier_review_at = $2 where id = $1', [
      account,
      reviewsAt,
    ])
    await armTierReview(house.engine, { workspace: house.workspace, account, reviewsAt }, 500)
    return tierReviewWorkflowId(house.workspace, account)
  },
  'tier review told of an earlier date': async () => {
    const account = await tieredMember(700)
    const input = { workspace: house.workspace, account }
    await armTierReview(house.engine, { ...input, reviewsAt: inMs(86_400_000) }, 86_400_000)
    const reviewsAt = inMs(1_000)
    await armTierReview(house.engine, { ...input, reviewsAt }, 1_000)
    await house.owner.query(
      `update program set tier_config = jsonb_set(tier_config, '{period}', '{"type": "lifetime"}') where id = 'prog_default'`,
    )
    return tierReviewWorkflowId(house.workspace, account)
  },
  'tier reassessment of a program': async () => {
    await tieredMember(700)
    const walk = { workspace: house.workspace, program: 'prog_default' }
    await house.owner.query('select tier_reassess_begin($1, $2, now())', [
      walk.workspace,
      walk.program,
    ])
    await tellReassessment(house.engine, walk)
    return tierReassessmentWorkflowId(walk.workspace, walk.program)
  },
  'net with nothing to mend': async () => {
    const workflowId = newId('run')
    await house.engine.client.workflow.start(WORKFLOW.net, {
      workflowId,
      taskQueue: house.engine.taskQueue,
      args: [],
    })
    return workflowId
  },
}

test.for(Object.entries(OUTCOMES))('%s', async ([name, reach]) => {
  const id = await reach()
  await ended(house, id)
  const history = await house.engine.client.workflow.getHandle(id).fetchHistory()
  expect(history.events?.length).toBeGreaterThan(3)
  const file = new URL(`./${name.replaceAll(/[^a-z]+/g, '-')}.json`, import.meta.url)
  await writeFile(file, `${JSON.stringify(JSON.parse(historyToJSON(history)), null, 1)}\n`, {
    flag: 'wx',
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
})
