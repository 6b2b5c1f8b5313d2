import type { Tables } from '../rule.ts'

const THIRDS = { amount: 1_000 }
const OF_THREE = { points: 3, reversed_points: 0 }

export const tables = {
  credit_share: [
    ['of all points, all of it', [THIRDS, OF_THREE, 3], 1_000],
    ['of none, none', [THIRDS, OF_THREE, 0], 0],
    ['of some, rounded up', [THIRDS, OF_THREE, 1], 334],
    ['a gift took no points, so no share goes by them', [THIRDS, { points: 0 }, 0], 0],
    ['no product overflows', [{ amount: 1e12 }, { points: 1e12 }, 5e11], 5e11],
  ],
  credit_next_share: [
    ['the first return takes its share, rounded up', [THIRDS, OF_THREE, 1], 334],
    ['the next ones what is then due', [THIRDS, { points: 3, reversed_points: 1 }, 1], 333],
    ['so that the last makes it whole', [THIRDS, { points: 3, reversed_points: 2 }, 1], 333],
    ['all at once is the same', [THIRDS, OF_THREE, 3], 1_000],
    ['a gift is returned as a whole', [THIRDS, { points: 0, reversed_points: 0 }, 0], 1_000],
  ],
} satisfies Tables
