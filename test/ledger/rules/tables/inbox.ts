import type { Tables } from '../rule.ts'

const PERSON = { name: 'Mira', email: 'mira@example.com', phone: '+4791234567' }

export const tables = {
  payload_allowed: [
    [
      'of our own form amounts and ids, and nobody',
      [
        'sandbox',
        { id: 'evt_1', type: 'payment.completed', data: { id: 'pay_1', amount: 5, buyer: PERSON } },
        [],
      ],
      { id: 'evt_1', type: 'payment.completed', data: { id: 'pay_1', amount: 5 } },
    ],
    [
      'of Stripe an expanded customer is its id, a card its end',
      [
        'stripe',
        {
          data: {
            object: {
              customer: { id: 'cus_1', ...PERSON },
              payment_method_details: { card: { brand: 'visa', last4: '4242', exp_year: 2030 } },
            },
          },
        },
        [],
      ],
      {
        data: {
          object: {
            customer: { id: 'cus_1' },
            payment_method_details: { card: { brand: 'visa', last4: '4242' } },
          },
        },
      },
    ],
    [
      'of any form the plain values that are read',
      [
        'generic',
        { order: { id: 'o_1', buyer: PERSON } },
        [
          ['order', 'id'],
          ['order', 'buyer'],
        ],
      ],
      { 'order.id': 'o_1' },
    ],
    ['of a provider that nobody knows nothing', ['other', { id: 'x' }, []], {}],
  ],
  fields_allowed: [
    ['fields of other names are left out', [{ id: 1, name: 'Mira' }, ['id'], 0], { id: 1 }],
    [
      'at every depth, within lists too',
      [{ data: [{ id: 1, name: 'Mira' }, 'text'] }, ['data', 'id'], 0],
      { data: [{ id: 1 }, 'text'] },
    ],
    ['what is nested deeper than 16 is nothing', [{ id: 1 }, ['id'], 17], null],
  ],
} satisfies Tables
