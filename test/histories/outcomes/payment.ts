import { newId } from '../../../domain/ids.ts'
import { paymentWorkflowId } from '../../../temporal/names.ts'
import { pay } from '../../support/redeem.ts'
import type { Outcomes } from './outcome.ts'

export const paymentOutcomes: Outcomes = {
  'payment canceled before its expiry': async (house) => {
    const { payment } = await pay(house, [], 'requires_payment')
    const id = payment?.id ?? ''
    await house.commands.movePayment({
      workspace: house.workspace,
      payment: id,
      status: 'canceled',
      event: newId('evt'),
      at: new Date().toISOString(),
    })
    return paymentWorkflowId(house.workspace, id)
  },
  'payment whose pending points mature': async (house) => {
    // pending for three seconds; only who names this trigger's customer earns by it
    await house.owner.query(
      `insert into earning_rule (workspace, id, program, trigger, award, pending_days, created_at)
       values ($1, 'erl_pending', 'prog_default', 'payment.completed', '{"fixed": 100}', 3 / 86400.0, '2020-01-01')`,
      [house.workspace],
    )
    await house.owner.query(`update account set created_at = '2020-01-01' where id = 'loy_9f2k'`)
    const payment = newId('pay')
    const money = { amount: 4_200, amount_charged: 4_200, currency: 'eur' }
    await house.commands.receivePayment({
      workspace: house.workspace,
      provider: 'sandbox',
      endpoint: house.keys.paymentEndpoint,
      content: [],
      event: newId('evt'),
      type: 'payment.completed',
      payload: {},
      payment: { ...money, id: payment, customer: 'cust_abc123', refs: [] },
      status: 'completed',
    })
    return paymentWorkflowId(house.workspace, payment)
  },
}
