import { afterAll, beforeAll, expect, test } from 'vitest'
import { paymentProcess } from '../../db/ledger.gen.ts'
import { newId } from '../../domain/ids.ts'
import { WORKFLOW } from '../../temporal/names.ts'
import { type House, openHouse } from '../support/house.ts'
import { balanceOf } from '../support/redeem.ts'
import { takeInUnfinished } from '../support/unfinished.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(async () => {
  expect(await house.reconcile()).toEqual([])
  await house.close()
})

const HOUR_MS = 3_600_000
const hoursAgo = (hours: number) => new Date(Date.now() - hours * HOUR_MS).toISOString()
const sweep = () =>
  house.engine.client.workflow.execute(WORKFLOW.reconciler, {
    workflowId: newId('run'),
    taskQueue: house.engine.taskQueue,
    args: [],
  })
const rule = (id: string, trigger: string, pendingDays = 0) =>
  house.owner.query(
    `insert into earning_rule (workspace, id, program, trigger, award, pending_days, created_at)
     values ($1, $2, 'prog_default', $3, '{"fixed": 100}', $4, '2020-01-01')`,
    [house.workspace, id, trigger, pendingDays],
  )

test('reports the run of an invoice that was kept but never signalled', async () => {
  await rule('erl_invoice', 'invoice.paid')
  const invoice = newId('op')
  const facts = {
    trigger: 'invoice.paid' as const,
    noun: 'invoice',
    customer: 'cust_abc123',
    metadata: {},
    amount: null,
    currency: null,
    payment: null,
  }
  await house.owner.query(`update account set created_at = '2020-01-01'`)
  await takeInUnfinished(house.owner, {
    workspace: house.workspace,
    provider: 'sandbox',
    endpoint: house.keys.paymentEndpoint,
    content: [],
    event: newId('evt'),
    type: 'invoice.paid',
    payload: {},
    payment: null,
    status: null,
    at: hoursAgo(1),
    more: { subject: invoice, facts },
  })
  expect(await sweep()).toMatchObject({ inbox: 1 })
  await expect.poll(() => balanceOf(house, 'loy_9f2k')).toBe(5_100)
  expect(await sweep()).toMatchObject({ inbox: 0, earnings: 0 })
})

test('credits pending points whose run was lost, two minutes past their date', async () => {
  await rule('erl_pending', 'payment.completed', 1)
  const payment = newId('pay')
  await takeInUnfinished(house.owner, {
    workspace: house.workspace,
    provider: 'sandbox',
    endpoint: house.keys.paymentEndpoint,
    content: [],
    event: newId('evt'),
    type: 'payment.completed',
    payload: {},
    status: 'completed',
    at: hoursAgo(25),
    payment: { id: payment, amount: 100, currency: 'eur', customer: 'cust_abc123', refs: [] },
  })
  const { workspace } = house
  await paymentProcess(house.owner, { workspace, id: payment, at: hoursAgo(24.5) })
  await house.owner.query('delete from workflow_outbox')
  expect(await balanceOf(house, 'loy_9f2k')).toBe(5_100)
  expect(await sweep()).toMatchObject({ earnings: 1 })
  expect(house.reconciled).toMatchObject({ earnings: 1 })
  expect(await balanceOf(house, 'loy_9f2k')).toBe(5_200)
  expect(await sweep()).toMatchObject({ earnings: 0 })
})
