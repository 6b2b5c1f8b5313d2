import type { Tables, Value } from '../rule.ts'

const parcel = (fulfillment: Record<string, Value>) => ({ fulfillment })

export const tables = {
  fulfillment_left: [
    ['all of it at first', [parcel({ quantity: 3 })], 3],
    ['without what is shipped', [parcel({ quantity: 3, shipped: 1 })], 2],
    ['nor what is cancelled', [parcel({ quantity: 3, shipped: 1, canceled: 2 })], 0],
    ['a discount has nothing to send', [{ fulfillment: null }], null],
  ],
  fulfillment_without: [
    ['so many are cancelled', [parcel({ quantity: 3 }), 2], { quantity: 3, canceled: 2 }],
    [
      'with those of before',
      [parcel({ quantity: 3, shipped: 1, canceled: 1 }), 1],
      { quantity: 3, shipped: 1, canceled: 2 },
    ],
  ],
  fulfillment_done: [
    [
      'it is sent, and nobody waits for it any more',
      [
        { id: 'rdm_1', status: 'fulfillment_pending', overdue_at: '2026-02-01T00:00Z' },
        '2026-01-15T00:00Z',
      ],
      {
        id: 'rdm_1',
        status: 'fulfilled',
        fulfilled_at: '2026-01-15T00:00:00+00:00',
        overdue_at: null,
      },
    ],
  ],
} satisfies Tables
