import type { Tables } from '../rule.ts'

export const tables = {
  account_formers: [
    ['of an account that never had a customer, nobody', [{ former_customers: [] }], []],
    [
      'whom it is linked to comes last',
      [{ customer: 'c3', former_customers: ['c1', 'c2'] }],
      ['c1', 'c2', 'c3'],
    ],
    [
      'and once, where they were so before',
      [{ customer: 'c1', former_customers: ['c1', 'c2'] }],
      ['c2', 'c1'],
    ],
    [
      'without a customer it stays as it is',
      [{ customer: null, former_customers: ['c1'] }],
      ['c1'],
    ],
  ],
  account_debtor: [
    [
      'of a closed account, whom it is linked to',
      [{ status: 'closed', customer: 'c2', former_customers: ['c1'] }],
      'c2',
    ],
    [
      'or whom it was linked to last',
      [{ status: 'closed', customer: null, former_customers: ['c1', 'c2'] }],
      'c2',
    ],
    [
      'of an active one that nobody owns any more, its last',
      [{ status: 'active', customer: null, former_customers: ['c1', 'c2'] }],
      'c2',
    ],
    [
      'an active one with a customer owes for itself',
      [{ status: 'active', customer: 'c2', former_customers: ['c1'] }],
      null,
    ],
    [
      'a merged one owes nothing',
      [{ status: 'merged', customer: 'c2', former_customers: ['c1'] }],
      null,
    ],
    [
      'nobody owes for one that nobody ever had',
      [{ status: 'closed', customer: null, former_customers: [] }],
      null,
    ],
  ],
} satisfies Tables
