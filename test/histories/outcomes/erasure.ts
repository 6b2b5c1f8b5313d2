import { expect } from 'vitest'
import { findErasure } from '../../../app/erasures.ts'
import { erasureWorkflowId } from '../../../temporal/names.ts'
import type { House } from '../../support/house.ts'
import { redeem } from '../../support/redeem.ts'
import { inMs, member, type Outcomes, operation } from './outcome.ts'

const erase = (house: House, account: string) =>
  house.commands.eraseAccount(
    { workspace: house.workspace, route: 'erase', key: null, ...operation() },
    account,
  )

export const erasureOutcomes: Outcomes = {
  'erasure of a member': async (house) => {
    const account = await member(house)
    await erase(house, account)
    return erasureWorkflowId(house.workspace, account)
  },
  'erasure that waited for a redemption and was asked for again': async (house) => {
    const { workspace } = house
    const account = 'loy_8sd2k1'
    const { redemption } = await redeem(house, { account })
    await erase(house, account)
    await expect
      .poll(async () => (await findErasure(house.pool, workspace, account))?.waitsFor.length)
      .toBe(1)
    await house.commands.cancelRedemption({
      workspace,
      redemption,
      ...operation(),
      reason: 'canceled',
      at: inMs(0),
    })
    await erase(house, account)
    return erasureWorkflowId(workspace, account)
  },
}
