import type { Tables, Value } from '../rule.ts'

const BRONZE = { name: 'Bronze', rank: 1, threshold: 0, multiplier: 1 }
const SILVER = { name: 'Silver', rank: 2, threshold: 1_000, multiplier: 1.25 }
const GOLD = { name: 'Gold', rank: 3, threshold: 5_000.5, multiplier: 2 }
const TIERS = [SILVER, GOLD, BRONZE]

const program = (tier_config: Value, more: Record<string, Value> = {}) => ({
  decimals: 0,
  expiry_time_zone: 'UTC',
  tier_config,
  ...more,
})
const rolling = (months: number, expiry_time_zone = 'UTC') =>
  program({ period: { type: 'rolling', months } }, { expiry_time_zone })

export const tables = {
  tier_qualify_on: [
    ['nothing without tiers', [program(null)], null],
    ['points where the program does not say', [program({})], 'points'],
    ['what it says', [program({ qualifyOn: 'spend' })], 'spend'],
  ],
  tier_counts_until: [
    ['for life', [program({ period: { type: 'lifetime' } }), '2026-01-15T10:00Z'], null],
    ['not at all without tiers', [program(null), '2026-01-15T10:00Z'], null],
    [
      'to the end of the day so many months later',
      [rolling(12), '2026-01-15T10:00Z'],
      '2027-01-16T00:00Z',
    ],
    [
      'a midnight is the beginning of its day',
      [rolling(12), '2026-01-15T00:00Z'],
      '2027-01-16T00:00Z',
    ],
    ['a month that is too short clamps', [rolling(1), '2026-01-31T10:00Z'], '2026-03-01T00:00Z'],
    [
      'the day is the program’s',
      [rolling(1, 'Europe/Berlin'), '2026-01-15T23:30Z'],
      '2026-02-16T23:00Z',
    ],
  ],
  tier_grace: [
    ['thirty days where the program does not say', [program({})], '30 days'],
    ['as many as it says', [program({ graceDays: 7 })], '7 days'],
    ['none where it says so', [program({ graceDays: 0 })], '00:00:00'],
  ],
  tier_threshold: [
    ['points are counted in the smallest unit', [program({}, { decimals: 2 }), SILVER], 100_000],
    ['part of a point is exact', [program({}, { decimals: 2 }), GOLD], 500_050],
    [
      'money is in minor units already',
      [program({ qualifyOn: 'spend' }, { decimals: 2 }), SILVER],
      1_000,
    ],
    [
      'what somebody else counts is counted as points are',
      [program({ qualifyOn: 'custom' }, { decimals: 1 }), SILVER],
      10_000,
    ],
  ],
  tier_named: [
    ['the tier of that name', [program({ tiers: TIERS }), 'Gold'], GOLD],
    ['none of another', [program({ tiers: TIERS }), 'gold'], null],
    ['none of no name', [program({ tiers: TIERS }), null], null],
    ['none without tiers', [program(null), 'Gold'], null],
  ],
  tier_multiplier: [
    ['the tier’s', [program({ tiers: TIERS }), 'Silver'], 1.25],
    ['one without a tier', [program({ tiers: TIERS }), null], 1],
    ['one for a tier that is no more', [program({ tiers: TIERS }), 'Platinum'], 1],
  ],
  tier_reached: [
    ['the highest whose threshold is reached', [program({ tiers: TIERS }), 1_000], SILVER],
    ['one point less is the one below', [program({ tiers: TIERS }), 999], BRONZE],
    ['the top one, however many', [program({ tiers: TIERS }), 1_000_000], GOLD],
    ['none where the lowest is not reached', [program({ tiers: [SILVER] }), 999], null],
    ['none without tiers', [program(null), 1_000_000], null],
  ],
  tier_rank: [
    ['the rank of that name', [TIERS, 'Gold'], 3],
    ['none of another', [TIERS, 'Platinum'], null],
    ['none where there are no tiers', [null, 'Gold'], null],
  ],
} satisfies Tables
