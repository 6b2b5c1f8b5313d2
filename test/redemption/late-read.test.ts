import { readFile } from 'node:fs/promises'
import { Context } from '@temporalio/activity'
import { Worker } from '@temporalio/worker'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { newId } from '../../domain/ids.ts'
import type { RedemptionFacts } from '../../domain/redemption-summary.ts'
import { WORKFLOW } from '../../temporal/names.ts'
import { rowChanged } from '../../workflows/messages.ts'
import { type House, openHouse } from '../support/house.ts'

let house: House

beforeAll(async () => {
  house = await openHouse({ worker: false })
})
afterAll(() => house.close())

const WAITING: RedemptionFacts = {
  status: 'fulfillment_pending',
  payment: null,
  reason: null,
  expiresAt: null,
  late: null,
}

it('a read of the row that began before the end and is answered after it does not keep the run waiting', async () => {
  const { engine } = house
  let begun = () => {}
  let ended = () => {}
  const begin = new Promise<void>((resolve) => {
    begun = resolve
  })
  const end = new Promise<void>((resolve) => {
    ended = resolve
  })
  const worker = await Worker.create({
    connection: engine.connection,
    taskQueue: engine.taskQueue,
    workflowBundle: { code: await readFile(inject('bundlePath'), 'utf8') },
    activities: {
      // The database is away for a moment, and then slow: it answers what it read before the end.
      actOnOverdueFulfillment: async () => {
        if (Context.current().info.isLocal) throw new Error('the database is away')
        begun()
        await end
        return { outcome: 'not_due', facts: WAITING }
      },
    },
  })
  const redemption = newId('rdm')
  const deadline = new Date(Date.now() + 3_600_000).toISOString()
  const status = await worker.runUntil(async () => {
    const run = await engine.client.workflow.start(WORKFLOW.fulfillment, {
      workflowId: redemption,
      taskQueue: engine.taskQueue,
      args: [{ workspace: 'ws', redemption, account: 'loy_1', reward: 'rwd_1', deadline }],
    })
    await begin
    await run.signal(rowChanged, { revision: 2, facts: { ...WAITING, status: 'reversed' } })
    const result = await run.result()
    ended()
    return result.status
  })
  expect(status).toBe('reversed')
})
