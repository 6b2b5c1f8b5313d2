import { expect } from 'vitest'
import { newId } from '../../../domain/ids.ts'
import { fulfill, reverse } from '../../../workflows/messages.ts'
import {
  askRedemption,
  fulfillmentInputOf,
  startRedemptionDelayed,
} from '../../support/previous-api.ts'
import { eventsOf, itemReward, redeemItem } from '../../support/redeem-item.ts'
import { type Outcomes, operation } from './outcome.ts'

export const fulfillmentOutcomes: Outcomes = {
  'fulfillment shipped in two parcels': async (house) => {
    const input = await redeemItem(house, { quantity: 2 })
    for (const tracking of ['a', 'b']) {
      const parcel = { tracking, carrier: 'DHL', quantity: 1 }
      await askRedemption(house.engine, input, fulfill, { ...operation(), ...parcel })
    }
    return input.redemption
  },
  'fulfillment reversed before it is shipped': async (house) => {
    const input = await redeemItem(house)
    await askRedemption(house.engine, input, reverse, { ...operation(), reason: 'changed_mind' })
    return input.redemption
  },
  'fulfillment overdue, then shipped': async (house) => {
    const input = await redeemItem(house, { deadlineMs: 500 })
    const events = () => eventsOf(house, input.redemption)
    await expect.poll(events, { timeout: 30_000 }).toHaveLength(2)
    const parcel = { tracking: 'a', carrier: null }
    await askRedemption(house.engine, input, fulfill, { ...operation(), ...parcel })
    return input.redemption
  },
  'fulfillment refunded at its deadline': async (house) => {
    const reward = await itemReward(house, { onOverdue: 'refund' })
    return (await redeemItem(house, { reward, deadlineMs: 500 })).redemption
  },
  'fulfillment cancelled by an operator': async (house) => {
    const { redemption } = await redeemItem(house)
    await house.engine.client.workflow.getHandle(redemption).cancel()
    return redemption
  },
  'fulfillment never created': async (house) => {
    const id = newId('rdm')
    const about = { id, account: 'loy_9f2k', reward: 'rwd_totebag' }
    const deadline = new Date(Date.now() + 200).toISOString()
    const run = fulfillmentInputOf(house.workspace, about, deadline)
    await startRedemptionDelayed(house.engine, { ...run, creationWindowMs: 100 }, 200)
    return id
  },
}
