import { newId } from '../../../domain/ids.ts'
import { tierReassessmentWorkflowId, tierReviewWorkflowId } from '../../../temporal/names.ts'
import type { House } from '../../support/house.ts'
import { sendOutbox } from '../../support/outbox.ts'
import { inMs, type Outcomes } from './outcome.ts'

/** A member of the default program, which now has tiers by the year, with points earned 70 days ago. */
async function tieredMember(house: House, points: number): Promise<string> {
  const tiers = [
    { name: 'Bronze', rank: 0, threshold: 0, multiplier: 1 },
    { name: 'Silver', rank: 1, threshold: 500, multiplier: 1 },
  ]
  const config = {
    qualifyOn: 'points',
    period: { type: 'rolling', months: 12 },
    graceDays: 0,
    tiers,
  }
  await house.owner.query(`update program set tier_config = $1 where id = 'prog_default'`, [config])
  const account = newId('loy')
  await house.owner.query(
    `insert into account (workspace, id, program) values ($1, $2, 'prog_default')`,
    [house.workspace, account],
  )
  await house.owner.query(
    `select ledger.points_post($1, $2, 'earn', $3, 'test', $2, 'f', now() - interval '70 days', null, null, null, '{}', false)`,
    [house.workspace, account, points],
  )
  return account
}

/** The review's run is sent its date. */
async function tellOfReview(house: House, account: string): Promise<void> {
  await house.owner.query(
    `select ledger_private.tier_review_outbox(a, 'changed') from account a where id = $1`,
    [account],
  )
  await sendOutbox(house)
}

export const tierOutcomes: Outcomes = {
  'tier review demotion after the grace': async (house) => {
    const account = await tieredMember(house, 700)
    // the tiers now ask for more than anybody has; the grace is over in half a second
    await house.owner.query(
      `update program set tier_config = jsonb_set(tier_config, '{period,months}', '1') where id = 'prog_default'`,
    )
    const reviewsAt = new Date(Date.now() + 500).toISOString()
    await house.owner.query('update account set tier_review_at = $2 where id = $1', [
      account,
      reviewsAt,
    ])
    await tellOfReview(house, account)
    return tierReviewWorkflowId(house.workspace, account)
  },
  'tier review told of an earlier date': async (house) => {
    const account = await tieredMember(house, 700)
    await sendOutbox(house) // to the date that its points count until
    await house.owner.query('update account set tier_review_at = $2 where id = $1', [
      account,
      inMs(1_000),
    ])
    await tellOfReview(house, account)
    await house.owner.query(
      `update program set tier_config = jsonb_set(tier_config, '{period}', '{"type": "lifetime"}') where id = 'prog_default'`,
    )
    return tierReviewWorkflowId(house.workspace, account)
  },
  'tier reassessment of a program': async (house) => {
    await tieredMember(house, 700)
    const walk = { workspace: house.workspace, program: 'prog_default' }
    await house.owner.query(
      `select ledger.tier_reassess_begin($1, $2, now()) from set_config('vinr.workspace', $1, true)`,
      [walk.workspace, walk.program],
    )
    await sendOutbox(house)
    return tierReassessmentWorkflowId(walk.workspace, walk.program)
  },
}
