import type { Tables } from '../rule.ts'

export const tables = {
  refund_entry: [
    [
      'what a reader of the payment sees of it',
      [{ id: 're_1', amount: 500, status: 'pending', reason: 'r', payment: 'pay_1' }],
      { id: 're_1', amount: 500, status: 'pending' },
    ],
  ],
  refund_change: [
    [
      'as a provider’s event would say it',
      ['re_1', 500, 'requested_by_customer', true, { order: '7' }, 120, 'evt_1'],
      {
        kind: 'refund',
        outcome: 'created',
        type: 'payment.refunded',
        event: 'evt_1',
        endpoint: '',
        named: [],
        refund: {
          id: 're_1',
          amount: 500,
          reason: 'requested_by_customer',
          return_redemption: true,
          metadata: { order: '7' },
          store_credit: 120,
        },
      },
    ],
  ],
} satisfies Tables
