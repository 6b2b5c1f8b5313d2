import type { Tables, Value } from '../rule.ts'

const AT = '2026-01-15T00:00Z'
const AT_SAID = '2026-01-15T00:00:00+00:00'

const spent = (more: Record<string, Value> = {}) => ({
  id: 'rdm_1',
  status: 'applied',
  points: 500,
  reversed_points: 0,
  quantity: 1,
  reversed_quantity: 0,
  ...more,
})
const paid = (more: Record<string, Value> = {}) => ({
  id: 'pay_1',
  provider: 'sandbox',
  status: 'completed',
  amount: 2_999,
  amount_charged: 2_499,
  amount_refunded: 0,
  currency: 'EUR',
  discounts: [{ redemption: 'rdm_1', amount: 500 }],
  ...more,
})
const unaffected = (more: Record<string, Value> = {}) => ({
  payment: 'pay_1',
  currency: 'EUR',
  discounted: 500,
  refunded: 0,
  refundable: 500,
  refunds: [],
  ...more,
})
const invalid = (param: string, more: Record<string, Value>) => ({
  code: 'parameter_invalid',
  param,
  ...more,
})
const PARCEL = {
  status: 'fulfillment_pending',
  quantity: 2,
  fulfillment: { quantity: 4 },
  overdue_at: '2026-02-01T00:00Z',
}

export const tables = {
  redemption_workflow: [
    ['what is sent waits for its parcel', [{ fulfillment: { quantity: 1 } }], 'fulfillment'],
    ['anything else for its payment', [{ fulfillment: null }], 'redemption'],
  ],
  redemption_invalid_param: [
    [
      'a discount, once',
      [{ program: 'p1' }, { program: 'p1', type: 'discount_amount' }, 1, null],
      null,
    ],
    [
      'a reward of another program',
      [{ program: 'p1' }, { program: 'p2', type: 'discount_amount' }, 1, null],
      'reward',
    ],
    [
      'a percentage more than once',
      [{ program: 'p1' }, { program: 'p1', type: 'discount_percent' }, 2, null],
      'quantity',
    ],
    [
      'an amount more than once is sense',
      [{ program: 'p1' }, { program: 'p1', type: 'discount_amount' }, 2, null],
      null,
    ],
    [
      'an address for a discount',
      [{ program: 'p1' }, { program: 'p1', type: 'discount_amount' }, 1, {}],
      'shipping',
    ],
    [
      'an address for store credit',
      [{ program: 'p1' }, { program: 'p1', type: 'store_credit' }, 1, {}],
      'shipping',
    ],
    [
      'for a product it is sense',
      [{ program: 'p1' }, { program: 'p1', type: 'free_product' }, 2, {}],
      null,
    ],
    ['for a gift card', [{ program: 'p1' }, { program: 'p1', type: 'gift_card' }, 1, {}], null],
    [
      'for a partner’s reward',
      [{ program: 'p1' }, { program: 'p1', type: 'partner' }, 1, {}],
      null,
    ],
  ],
  redemption_hold_minutes: [
    ['the reward’s', [{ hold_minutes: 5 }, { hold_minutes: 10 }, 30], 5],
    ['else the program’s', [{ hold_minutes: null }, { hold_minutes: 10 }, 30], 10],
    ['else the installation’s', [{ hold_minutes: null }, { hold_minutes: null }, 30], 30],
    ['none at all is a number too', [{ hold_minutes: 0 }, { hold_minutes: 10 }, 30], 0],
    ['parts of a minute stay', [{ hold_minutes: 0.2 }, { hold_minutes: null }, 30], 0.2],
  ],
  redemption_due_at: [
    [
      'a discount waits for its minutes',
      [{ type: 'discount_amount' }, 30, AT],
      '2026-01-15T00:30Z',
    ],
    ['or part of one', [{ type: 'discount_percent' }, 0.2, AT], '2026-01-15T00:00:12Z'],
    [
      'to the millisecond, as its workflow knows time',
      [{ type: 'discount_amount' }, 30, '2026-01-15T00:00:00.0019Z'],
      '2026-01-15T00:30:00.001Z',
    ],
    ['a parcel for thirty days', [{ type: 'free_product' }, 30, AT], '2026-02-14T00:00Z'],
    [
      'or as many as the reward says',
      [{ type: 'free_product', fulfillment: { deadlineDays: 7 } }, 30, AT],
      '2026-01-22T00:00Z',
    ],
    [
      'of 24 hours each, whatever the clock does',
      [{ type: 'partner', fulfillment: { deadlineDays: 90 } }, 30, AT],
      '2026-04-15T00:00Z',
    ],
  ],
  redemption_reverse_refusal: [
    ['the whole of an applied one is reversed', [spent(), paid(), 500, null, false], null],
    ['a part of its points too', [spent(), paid(), 100, null, false], null],
    [
      'not more items than are left',
      [spent({ quantity: 3, reversed_quantity: 2 }), null, 0, 2, false],
      invalid('quantity', { left: 1 }),
    ],
    [
      'a gift is returned as a whole',
      [spent({ points: 0, quantity: 2 }), null, 0, 1, false],
      invalid('quantity', { gift: true }),
    ],
    ['all items of a gift are', [spent({ points: 0, quantity: 2 }), null, 0, 2, false], null],
    [
      'not more points than are left',
      [spent({ reversed_points: 400 }), paid(), 101, null, false],
      invalid('points', { available: 100 }),
    ],
    [
      'gift cards go by the card',
      [spent({ gift_cards: [{}] }), null, 100, null, false],
      invalid('points', { cards: true }),
    ],
    ['or all at once', [spent({ gift_cards: [{}] }), null, 500, null, false], null],
    [
      'nothing while its payment is on its way',
      [spent({ status: 'pending' }), paid({ status: 'processing' }), 500, null, false],
      { code: 'payment_processing' },
    ],
    [
      'a pending one only as a whole, by points',
      [spent({ status: 'pending' }), null, 100, null, false],
      invalid('points', { whole: true }),
    ],
    [
      'and by items',
      [spent({ status: 'pending', quantity: 5 }), null, 100, 1, false],
      invalid('quantity', { whole: true }),
    ],
    [
      'no refund of a payment that charged without the discount',
      [spent(), paid(), 500, null, true],
      invalid('refund_payment', { charged: false }),
    ],
    [
      'none at a provider who does not refund for us',
      [spent({ payment_unaffected: unaffected() }), paid({ provider: 'stripe' }), 500, null, true],
      { code: 'not_reversible', status: 'completed' },
    ],
    [
      'none where nothing of it is left',
      [spent({ payment_unaffected: unaffected({ refundable: 0 }) }), paid(), 500, null, true],
      { code: 'not_reversible', status: 'completed' },
    ],
    [
      'the sandbox refunds',
      [spent({ payment_unaffected: unaffected() }), paid(), 500, null, true],
      null,
    ],
  ],
  redemption_returned: [
    [
      'a part keeps the status',
      [spent({ reversed_points: 100 }), 0, AT],
      { status: 'applied', reversed_at: null },
    ],
    [
      'the whole is reversed',
      [spent({ reversed_points: 500 }), 1, AT],
      { status: 'reversed', reversed_at: AT_SAID },
    ],
    [
      'a gift by its items',
      [spent({ points: 0, quantity: 1, reversed_quantity: 1 }), 1, AT],
      { status: 'reversed', reversed_at: AT_SAID },
    ],
    [
      'items that were not sent are not sent',
      [spent({ ...PARCEL, reversed_points: 250, reversed_quantity: 1 }), 1, AT],
      { status: 'fulfillment_pending', fulfillment: { quantity: 4, canceled: 2 } },
    ],
    [
      'where the others were, it is fulfilled by that',
      [
        spent({
          ...PARCEL,
          fulfillment: { quantity: 4, shipped: 2 },
          reversed_points: 250,
          reversed_quantity: 1,
        }),
        1,
        AT,
      ],
      {
        status: 'fulfilled',
        fulfilled_at: AT_SAID,
        overdue_at: null,
        fulfillment: { quantity: 4, shipped: 2, canceled: 2 },
      },
    ],
    [
      'the whole parcel is reversed, and nobody waits for it',
      [spent({ ...PARCEL, reversed_points: 500, reversed_quantity: 2 }), 2, AT],
      {
        status: 'reversed',
        reversed_at: AT_SAID,
        overdue_at: null,
        fulfillment: { quantity: 4, canceled: 4 },
      },
    ],
    [
      'what was sent stays sent',
      [
        spent({
          status: 'fulfilled',
          quantity: 2,
          fulfillment: { quantity: 2, shipped: 2 },
          reversed_points: 250,
          reversed_quantity: 1,
        }),
        1,
        AT,
      ],
      { status: 'fulfilled', fulfillment: { quantity: 2, shipped: 2 } },
    ],
  ],
  redemption_is_returned: [
    ['with all its points', [spent({ reversed_points: 500 })], true],
    ['not with some', [spent({ reversed_points: 499 })], false],
    ['a gift with all its items', [spent({ points: 0, reversed_quantity: 1 })], true],
    ['not before', [spent({ points: 0 })], false],
  ],
  redemption_payment_unaffected: [
    [
      'a completed payment keeps its charge: what of it could be refunded',
      [spent({ discount: { amount: 500, currency: 'EUR' } }), paid(), 500],
      { payment_unaffected: unaffected() },
    ],
    [
      'by the share of the points returned, rounded down',
      [spent({ points: 3, discount: { amount: 500, currency: 'EUR' } }), paid(), 1],
      { payment_unaffected: unaffected({ discounted: 166, refundable: 166 }) },
    ],
    [
      'with those returned before, and without what is refunded already',
      [
        spent({
          points: 3,
          reversed_points: 1,
          discount: { amount: 500, currency: 'EUR' },
          payment_unaffected: unaffected({ refunded: 166, refunds: ['re_1'] }),
        }),
        paid({ amount_refunded: 166 }),
        1,
      ],
      {
        payment_unaffected: unaffected({
          discounted: 333,
          refunded: 166,
          refundable: 167,
          refunds: ['re_1'],
        }),
      },
    ],
    [
      'never more than is left of the charge',
      [
        spent({ discount: { amount: 500, currency: 'EUR' } }),
        paid({ amount_refunded: 2_400 }),
        500,
      ],
      { payment_unaffected: unaffected({ refundable: 99 }) },
    ],
    [
      'a gift’s discount is the whole one',
      [spent({ points: 0, discount: { amount: 500, currency: 'EUR' } }), paid(), 0],
      { payment_unaffected: unaffected() },
    ],
    [
      'a percentage is of the payment’s amount',
      [
        spent({ discount: { percent: 10 } }),
        paid({ discounts: [{ redemption: 'rdm_1', percent: 10 }] }),
        500,
      ],
      { payment_unaffected: unaffected({ discounted: 299, refundable: 299 }) },
    ],
    [
      'not while it is pending',
      [spent({ status: 'pending' }), paid(), 500],
      { payment_unaffected: null },
    ],
    [
      'not where the payment is not complete',
      [spent(), paid({ status: 'failed' }), 500],
      { payment_unaffected: null },
    ],
    ['not without a payment', [spent(), null, 500], { payment_unaffected: null }],
    [
      'not where the discount was taken off again',
      [spent(), paid({ discounts: [{ redemption: 'rdm_1', amount: 500, removed_at: AT }] }), 500],
      { payment_unaffected: null },
    ],
  ],
  redemption_payment_refunded: [
    [
      'what could be refunded is, by that refund',
      [unaffected({ refunded: 166, refundable: 167, refunds: ['re_1'] }), 're_2'],
      unaffected({ refunded: 333, refundable: 0, refunds: ['re_1', 're_2'] }),
    ],
  ],
} satisfies Tables
