import { writeFile } from 'node:fs/promises'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type House, openHouse } from '../support/house.ts'
import { ended } from '../support/redeem.ts'
import { approvalOutcomes } from './outcomes/approval.ts'
import { bulkOutcomes } from './outcomes/bulk.ts'
import { creditOutcomes } from './outcomes/credit.ts'
import { erasureOutcomes } from './outcomes/erasure.ts'
import { expiryOutcomes } from './outcomes/expiry.ts'
import { fulfillmentOutcomes } from './outcomes/fulfillment.ts'
import { liabilityOutcomes } from './outcomes/liability.ts'
import { paymentOutcomes } from './outcomes/payment.ts'
import { reconcilerOutcomes } from './outcomes/reconciler.ts'
import { redemptionOutcomes } from './outcomes/redemption.ts'
import { reportedEventOutcomes } from './outcomes/reported-event.ts'
import { rowOutcomes } from './outcomes/rows.ts'
import { tierOutcomes } from './outcomes/tier.ts'
import { webhookOutcomes } from './outcomes/webhook.ts'

// Not a test of the product: it records what `replay.test.ts` replays. A history that is there
// stays, unless its file is deleted first: old ones are what running workflows look like.

let house: House

beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house.close())

// The reconciler comes last: it does what the others left.
const OUTCOMES = {
  ...redemptionOutcomes,
  ...fulfillmentOutcomes,
  ...paymentOutcomes,
  ...reportedEventOutcomes,
  ...creditOutcomes,
  ...tierOutcomes,
  ...expiryOutcomes,
  ...bulkOutcomes,
  ...erasureOutcomes,
  ...approvalOutcomes,
  ...liabilityOutcomes,
  ...webhookOutcomes,
  ...rowOutcomes,
  ...reconcilerOutcomes,
}

test.for(Object.entries(OUTCOMES))('%s', async ([name, reach]) => {
  const id = await reach(house)
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
