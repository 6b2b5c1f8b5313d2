import type { Tables, Value } from '../rule.ts'

const perEuro = { per_amount: { points: 1, amount: 100, currency: 'eur' } }
const byCurrency = {
  per_currency: { eur: { points: 1, amount: 100 }, sek: { points: 1, amount: 1_000 } },
}
const ON = '2026-05-01T00:00Z'
const rule = (more: Record<string, Value> = {}) => ({ conditions: {}, ...more })
const where = (conditions: Record<string, Value>) => rule({ conditions })

export const tables = {
  divided: [
    ['down leaves the rest', [7, 2, 'down'], 3],
    ['as it is by default', [7, 2, null], 3],
    ['up takes any rest for one', [7, 2, 'up'], 4],
    ['what is exact is not rounded up', [6, 2, 'up'], 3],
    ['nearest takes a half for one', [7, 2, 'nearest'], 4],
    ['and less than a half for none', [7, 3, 'nearest'], 2],
    ['more than a half for one', [8, 3, 'nearest'], 3],
    ['a fraction divides exactly', [0.3, 0.1, 'up'], 3],
    ['nothing is nothing', [0, 3, 'up'], 0],
  ],
  earning_points: [
    ['EUR 42.00 at 1 per EUR 1', [perEuro, 1, 1, 4_200, 'eur', 0, 'down'], 42],
    ['the currency in upper case', [perEuro, 1, 1, 4_200, 'EUR', 0, 'down'], 42],
    ['EUR 42.99, rounded down', [perEuro, 1, 1, 4_299, 'eur', 0, 'down'], 42],
    ['EUR 42.50, rounded to the nearest', [perEuro, 1, 1, 4_250, 'eur', 0, 'nearest'], 43],
    ['EUR 42.49, rounded to the nearest', [perEuro, 1, 1, 4_249, 'eur', 0, 'nearest'], 42],
    ['EUR 42.01, rounded up', [perEuro, 1, 1, 4_201, 'eur', 0, 'up'], 43],
    ['EUR 42.00, rounded up, is exact', [perEuro, 1, 1, 4_200, 'eur', 0, 'up'], 42],
    ['EUR 42.99 in a program with two decimals', [perEuro, 1, 1, 4_299, 'eur', 2, 'down'], 4_299],
    [
      'multipliers of rule and tier multiply, and are rounded once',
      [perEuro, 1.5, 1.25, 1_010, 'eur', 0, 'down'],
      18,
    ],
    [
      'a third of a point three times is never made one',
      [{ per_amount: { points: 1, amount: 3, currency: 'eur' } }, 1, 1, 1, 'eur', 0, 'down'],
      0,
    ],
    ['a multiplier that no binary fraction holds', [perEuro, 0.1, 1, 3_000, 'eur', 0, 'down'], 3],
    ['fixed points, whatever was charged', [{ fixed: 250 }, 1, 1, null, null, 0, 'down'], 250],
    ['fixed points by tier', [{ fixed: 250 }, 1, 2, 5, 'usd', 0, 'down'], 500],
    ['per currency', [byCurrency, 1, 1, 12_345, 'sek', 0, 'down'], 12],
    ['a currency that the rule does not name', [perEuro, 1, 1, 4_200, 'usd', 0, 'down'], null],
    ['a currency that the table does not name', [byCurrency, 1, 1, 4_200, 'usd', 0, 'down'], null],
    ['nothing charged', [perEuro, 1, 1, 0, 'eur', 0, 'up'], 0],
    [
      'the largest charge at an absurd rate stops at the largest movement',
      [
        { per_amount: { points: 1_000_000_000, amount: 1, currency: 'eur' } },
        1_000,
        9,
        1e12,
        'eur',
        4,
        'down',
      ],
      1e12,
    ],
  ],
  earning_rule_mismatch: [
    ['a rule that speaks of it has none', [rule(), 100, 'eur', {}, ON], null],
    ['one that is switched off', [rule({ active: false }), 100, 'eur', {}, ON], 'rule_inactive'],
    [
      'the first of several',
      [rule({ ends_at: ON, conditions: { currency: 'usd' } }), 100, 'eur', {}, ON],
      'ended',
    ],
    [
      'not before its start',
      [rule({ starts_at: ON }), 1, 'eur', {}, '2026-04-30T00:00:00Z'],
      'not_started',
    ],
    ['too little', [where({ min_amount: 100 }), 99, 'eur', {}, ON], 'below_min_amount'],
    ['another currency', [where({ currency: 'eur' }), 100, 'usd', {}, ON], 'other_currency'],
    ['no currency at all', [where({ currency: 'eur' }), null, null, {}, ON], 'other_currency'],
    [
      'other metadata',
      [where({ metadata: { shop: 'a' } }), 1, 'eur', { shop: 'b' }, ON],
      'metadata_differs',
    ],
  ],
  earning_terms: [
    [
      'the rule as it is, and the tier’s multiplier',
      [
        {
          trigger: 'payment.completed',
          award: { fixed: 5 },
          multiplier: 2,
          cap: { points: 9, window: 'day' },
          conditions: { currency: 'eur' },
          pending_days: 3,
          name: 'Five',
        },
        1.5,
      ],
      {
        trigger: 'payment.completed',
        award: { fixed: 5 },
        multiplier: 2,
        tier_multiplier: 1.5,
        cap: { points: 9, window: 'day' },
        conditions: { currency: 'eur' },
        pendingDays: 3,
        name: 'Five',
      },
    ],
  ],
  earning_counted_on: [
    ['when it happened', [{ created_at: '2026-04-01T00:00:00Z' }, ON, '2026-05-02T00:00:00Z'], ON],
    [
      'when the account was there, if that is later',
      [{ created_at: '2026-05-01T12:00:00Z' }, ON, '2026-05-02T00:00:00Z'],
      '2026-05-01T12:00:00Z',
    ],
    [
      'when it was written, if that is later still',
      [
        { created_at: '2026-04-01T00:00:00Z', enrolled_at: '2026-05-01T18:00:00Z' },
        ON,
        '2026-05-02T00:00:00Z',
      ],
      '2026-05-01T18:00:00Z',
    ],
    [
      'never after now',
      [{ created_at: '2026-05-03T00:00:00Z' }, ON, '2026-05-02T00:00:00Z'],
      '2026-05-02T00:00:00Z',
    ],
  ],
  earning_rule_matches: [
    ['a rule without conditions, anything', [rule(), null, null, null, ON], true],
    ['from its start on', [rule({ starts_at: ON }), 100, 'eur', {}, ON], true],
    ['not before', [rule({ starts_at: ON }), 100, 'eur', {}, '2026-04-30T23:59:59.999Z'], false],
    ['not from its end on', [rule({ ends_at: ON }), 100, 'eur', {}, ON], false],
    ['up to its end', [rule({ ends_at: ON }), 100, 'eur', {}, '2026-04-30T23:59:59.999Z'], true],
    ['at least so much', [where({ min_amount: 100 }), 100, 'eur', {}, ON], true],
    ['not less', [where({ min_amount: 100 }), 99, 'eur', {}, ON], false],
    ['what has no amount has none', [where({ min_amount: 100 }), null, 'eur', {}, ON], false],
    ['a currency however it is written', [where({ currency: 'eur' }), 100, 'EUR', {}, ON], true],
    ['no other currency', [where({ currency: 'eur' }), 100, 'usd', {}, ON], false],
    [
      'all of the metadata',
      [
        where({ metadata: { shop: 'a', till: '1' } }),
        100,
        'eur',
        { shop: 'a', till: '1', x: '2' },
        ON,
      ],
      true,
    ],
    [
      'not some of it',
      [where({ metadata: { shop: 'a', till: '1' } }), 100, 'eur', { shop: 'a' }, ON],
      false,
    ],
    ['nor none', [where({ metadata: { shop: 'a' } }), 100, 'eur', null, ON], false],
  ],
  clawback_target: [
    ['half of the charge is half of the points', [42, 2_100, 4_200], 21],
    ['all of it, all', [42, 4_200, 4_200], 42],
    ['more than all, all', [42, 5_000, 4_200], 42],
    ['nothing, nothing', [42, 0, 4_200], 0],
    ['a part of a point stays', [1, 4_199, 4_200], 0],
    ['a third is rounded down', [100, 1, 3], 33],
    ['of no points, none', [0, 4_200, 4_200], 0],
    ['of a free payment nothing is refunded', [500, 0, 0], 0],
    ['no product overflows', [1e12, 999_999_999_999, 1e12], 999_999_999_999],
  ],
  clawback_source: [
    [
      'a refund, its payment and the rule that earned',
      [{ payment: 'pay_1', rule: 'rul_1' }, 're_1', 'refund'],
      { refund: 're_1', payment: 'pay_1', rule: 'rul_1' },
    ],
    [
      'a dispute says that it is one',
      [{ payment: 'pay_1', rule: 'rul_1' }, 'dp_1', 'dispute'],
      { refund: 'dp_1', dispute: 'dp_1', payment: 'pay_1', rule: 'rul_1' },
    ],
  ],
} satisfies Tables
