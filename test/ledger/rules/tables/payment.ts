import type { Tables } from '../rule.ts'

const five = { redemption: 'rdm_1', amount: 500 }
const tenth = { redemption: 'rdm_2', percent: 10 }
const removed = { ...five, removed_at: '2026-01-01T00:00:00Z' }

export const tables = {
  payment_charge: [
    ['without a discount, all of it', [2_999, []], 2_999],
    ['less an amount', [2_999, [five]], 2_499],
    ['less a percentage of the whole, rounded down', [2_999, [tenth]], 2_700],
    ['less both', [2_999, [five, tenth]], 2_200],
    ['a percentage stops at its most', [2_999, [{ ...tenth, maxAmount: 100 }]], 2_899],
    ['a fraction of a percent is exact', [10_000, [{ percent: 12.5 }]], 8_750],
    ['a discount that was removed takes nothing off', [2_999, [removed, tenth]], 2_700],
    ['never less than nothing', [300, [five]], 0],
  ],
  payment_attach_refusal: [
    [
      'names what was refused, and says more where there is more',
      ['redemption_expired', { id: 'rdm_1' }, { at: 'then' }],
      { refusal: { code: 'redemption_expired', redemption: 'rdm_1', at: 'then' } },
    ],
    [
      'or not',
      ['redemption_not_pending', { id: 'rdm_1' }, {}],
      { refusal: { code: 'redemption_not_pending', redemption: 'rdm_1' } },
    ],
  ],
  payment_rank: [
    ['it begins', ['requires_payment'], 0],
    ['is on its way', ['processing'], 1],
    ['fails', ['failed'], 2],
    ['or is given up', ['canceled'], 2],
    ['or its time is over', ['expired'], 2],
    ['and completes after any of these', ['completed'], 3],
    ['no other status has a rank', ['refunded'], null],
  ],
  payment_of: [
    [
      'a payment that nothing has happened to',
      ['ws_1', 'pay_1', 'stripe', 2_999, 'eur', 'c1', { order: '7' }, '2026-01-01T00:00Z'],
      {
        workspace: 'ws_1',
        id: 'pay_1',
        provider: 'stripe',
        status: 'requires_payment',
        amount: 2_999,
        amount_charged: 2_999,
        amount_refunded: 0,
        currency: 'eur',
        customer: 'c1',
        store_credit: 0,
        discounts: [],
        refused_discounts: [],
        refunds: [],
        disputes: [],
        awaits_confirmation: false,
        metadata: { order: '7' },
        created_at: '2026-01-01T00:00:00+00:00',
        completed_at: null,
        award: null,
      },
    ],
  ],
  source_is_ours: [
    [
      'the endpoint that it came by',
      [{ endpoint: 'whs_1', provider: 'stripe' }, 'stripe', 'whs_1'],
      true,
    ],
    [
      'no other of the same provider',
      [{ endpoint: 'whs_1', provider: 'stripe' }, 'stripe', 'whs_2'],
      false,
    ],
    [
      'any of its provider, where it is from before endpoints were told apart',
      [{ endpoint: null, provider: 'stripe' }, 'stripe', 'whs_2'],
      true,
    ],
    [
      'none of another provider',
      [{ endpoint: null, provider: 'stripe' }, 'sandbox', 'whs_2'],
      false,
    ],
    ['what nobody owns is whoever’s asks', [null, 'stripe', 'whs_1'], true],
  ],
} satisfies Tables
