import { newId } from '../../../domain/ids.ts'
import { WORKFLOW } from '../../../temporal/names.ts'
import { cancel, confirm, extend, reverse } from '../../../workflows/messages.ts'
import { askRedemption, startRedemptionDelayed } from '../../support/previous-api.ts'
import { pay, redeem } from '../../support/redeem.ts'
import { type Outcomes, operation } from './outcome.ts'

export const redemptionOutcomes: Outcomes = {
  'redemption applied': async (house) => {
    const { redemption } = await redeem(house)
    await pay(house, [redemption])
    return redemption
  },
  'redemption released by a failed payment': async (house) => {
    const { redemption } = await redeem(house)
    await pay(house, [redemption], 'failed')
    return redemption
  },
  'redemption released at its deadline': async (house) =>
    (await redeem(house, { holdMs: 500 })).redemption,
  'redemption started without delay, released at its deadline': async (house) => {
    const input = await redeem(house, { start: false, holdMs: 1_000 })
    await house.engine.client.workflow.start(WORKFLOW.redemption, {
      workflowId: input.redemption,
      taskQueue: house.engine.taskQueue,
      args: [input],
    })
    return input.redemption
  },
  'redemption cancelled': async (house) => {
    const input = await redeem(house)
    await askRedemption(house.engine, input, cancel, { ...operation(), reason: 'changed_mind' })
    return input.redemption
  },
  'redemption confirmed at a till': async (house) => {
    const input = await redeem(house)
    await askRedemption(house.engine, input, confirm, operation())
    return input.redemption
  },
  'redemption cancelled by an operator': async (house) => {
    const { redemption } = await redeem(house)
    await house.engine.client.workflow.getHandle(redemption).cancel()
    return redemption
  },
  'redemption extended, then reversed': async (house) => {
    const input = await redeem(house)
    await askRedemption(house.engine, input, extend, { ...operation(), minutes: 5 })
    await askRedemption(house.engine, input, reverse, { ...operation(), reason: 'mistake' })
    return input.redemption
  },
  'redemption never created': async (house) => {
    const redemption = newId('rdm')
    const releasesAt = new Date(Date.now() + 200).toISOString()
    const about = { account: 'loy_9f2k', reward: 'rwd_fivecredit', creationWindowMs: 100 }
    const input = { workspace: house.workspace, redemption, releasesAt, ...about }
    await startRedemptionDelayed(house.engine, input, 200)
    return redemption
  },
}
