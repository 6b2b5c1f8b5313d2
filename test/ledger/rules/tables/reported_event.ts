import type { Tables } from '../rule.ts'

const issued = (redemption: string) => ({ type: 'issue_reward', redemption })
const adjusted = (amount: number) => ({ type: 'adjust_points', amount })

export const tables = {
  event_content: [
    [
      'what an event is about is picked by paths, in their order',
      [{ id: 'pay_1', data: { amount: 5 } }, [['data', 'amount'], ['id']]],
      [5, 'pay_1'],
    ],
    ['what is not there is null', [{ id: 'pay_1' }, [['data', 'amount']]], [null]],
    ['no path picks nothing', [{ id: 'pay_1' }, []], null],
  ],
  event_gifts: [
    ['an event that gave nothing', [{ outcomes: [] }], []],
    [
      'the redemptions of every reactor, in order',
      [
        {
          outcomes: [
            { reactions: [issued('rdm_1'), adjusted(5)] },
            { reactions: [issued('rdm_2')] },
          ],
        },
      ],
      ['rdm_1', 'rdm_2'],
    ],
    ['a reaction that moved points is no gift', [{ outcomes: [{ reactions: [adjusted(5)] }] }], []],
  ],
  event_draft: [
    [
      'it is the account’s event, without outcomes yet',
      [
        { workspace: 'ws_1', id: 'loy_1', program: 'prog_1' },
        'evt_1',
        'till-7-1',
        'print',
        'user-1',
        'SALE',
        3,
        true,
        '2026-05-01T10:00Z',
        '2026-05-01T10:01Z',
      ],
      {
        workspace: 'ws_1',
        id: 'evt_1',
        event_id: 'till-7-1',
        fingerprint: 'print',
        user_id: 'user-1',
        type: 'SALE',
        type_version: 3,
        is_strict: true,
        account: 'loy_1',
        program: 'prog_1',
        outcomes: [],
        occurred_at: '2026-05-01T10:00:00+00:00',
        created_at: '2026-05-01T10:01:00+00:00',
      },
    ],
  ],
  outcomes_points: [
    ['no outcome moves none', [[]], 0],
    [
      'the reactions of every reactor add up, taken from given',
      [[{ reactions: [adjusted(50), adjusted(-20)] }, { reactions: [adjusted(7)] }]],
      37,
    ],
    ['a reaction without points counts for none', [[{ reactions: [issued('rdm_1')] }]], 0],
  ],
} satisfies Tables
