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
