import type { Tables } from '../rule.ts'

const lacks = (required: number, available: number, missing: number) => ({
  code: 'insufficient_points',
  required,
  available,
  missing,
})

export const tables = {
  points_missing: [
    ['what a balance lacks', [500, 120], lacks(500, 120, 380)],
    ['of an empty one, all', [500, 0], lacks(500, 0, 500)],
    ['a deficit is nothing available, and is not asked for', [500, -80], lacks(500, 0, 500)],
  ],
  points_worth: [
    ['points at a cent each', [250, 1, 0], 250],
    ['part of a minor unit is a whole one', [250, 0.5, 0], 125],
    ['and rounded up', [251, 0.5, 0], 126],
    ['a value is of a whole point, whatever the smallest unit', [25_000, 1, 2], 250],
    ['with its rest', [25_001, 1, 2], 251],
    ['no points, nothing', [0, 1, 0], 0],
    ['a debt, rounded up as well', [-251, 0.5, 0], -125],
    ['the most that a ledger holds is exact', [9_007_199_254_740_991, 1, 0], 9_007_199_254_740_991],
  ],
  ptx_type_part: [
    ['points that came by a payment', ['earn'], 'earned'],
    ['by hand', ['adjust'], 'adjusted'],
    ['that ran out', ['expire'], 'expired'],
    ['that a refund took', ['clawback'], 'clawed_back'],
    ['that moved with a merge', ['merge'], 'merged'],
    ['a redemption spends', ['redeem'], 'spent'],
    ['its release gives that back, so is part of it', ['release'], 'spent'],
    ['as does its reversal', ['reversal'], 'spent'],
  ],
} satisfies Tables
