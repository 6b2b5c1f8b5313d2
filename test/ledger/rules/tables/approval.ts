import type { Tables } from '../rule.ts'

export const tables = {
  approval_effect: [
    [
      'no movement is nothing of nobody',
      [[], [], []],
      { points: 0, credited: 0, debited: 0, accounts: 0, rows: 0 },
    ],
    [
      'what is given and what is taken count apart, and both to the points that move',
      [
        ['loy_1', 'loy_2', 'loy_1'],
        [500, -200, 100],
        [0, 0, 0],
      ],
      { points: 800, credited: 600, debited: 200, accounts: 2, rows: 3 },
    ],
    [
      'each in the decimals of its program',
      [
        ['loy_1', 'loy_2'],
        [1_250, -3],
        [2, 0],
      ],
      { points: 15.5, credited: 12.5, debited: 3, accounts: 2, rows: 2 },
    ],
  ],
} satisfies Tables
