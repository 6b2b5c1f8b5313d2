import { afterAll, beforeAll, expect, test } from 'vitest'
import { onCommit } from '../../db/outbox.ts'
import { newId } from '../../domain/ids.ts'
import { WORKFLOW } from '../../temporal/names.ts'
import { type House, openHouse } from '../support/house.ts'
import { openReceiver } from './receiver.ts'

let house: House

beforeAll(async () => {
  house = await openHouse()
  onCommit(house.pool, () => {}) // nobody is called with what is committed
})
afterAll(() => house.close())

const sweep = () =>
  house.engine.client.workflow.execute(WORKFLOW.reconciler, {
    workflowId: newId('run'),
    taskQueue: house.engine.taskQueue,
    args: [],
  })

test('deliveries whose signal was lost are found by the reconciler, two minutes late', async () => {
  const receiver = await openReceiver()
  const { workspace } = house
  const request = { workspace, route: 'test', key: null, fingerprint: '' }
  await house.commands.createWebhookEndpoint(request, {
    workspace,
    id: newId('we'),
    url: receiver.url,
    enabledEvents: ['loyalty.account.created'],
    description: null,
    metadata: {},
  })
  for (const n of [1, 2]) {
    const id = newId('loy')
    const member = { workspace, id, program: 'prog_default', customer: `cust_${n}`, metadata: {} }
    await house.commands.createAccount(request, member)
  }
  expect(await sweep()).toMatchObject({ webhooks: 0 })
  await house.owner.query(
    `update webhook_delivery set next_attempt_at = now() - interval '3 minutes'`,
  )
  expect(await sweep()).toMatchObject({ webhooks: 1 })
  await receiver.until(2)
  await expect
    .poll(async () => (await house.owner.query(`select status from webhook_delivery`)).rows)
    .toEqual([{ status: 'succeeded' }, { status: 'succeeded' }])
  expect(await sweep()).toMatchObject({ webhooks: 0 })
  await receiver.close()
})
