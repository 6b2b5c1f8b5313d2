import type { Case, Tables } from '../rule.ts'

const OWN_WORDS = [
  'expiry',
  'merge',
  'deficit',
  'reversal',
  'refund_failed',
  'refunded',
  'expired',
  'overdue',
  'canceled',
  'canceled_at_till',
  'canceled_by_operator',
  'payment_failed',
  'payment_canceled',
  'payment_expired',
]

export const tables = {
  reason_erased: [
    ...OWN_WORDS.map((word): Case => [`${word} is nobody’s`, [word], word]),
    ['what somebody wrote is gone', ['Anna from Bergen was angry'], 'erased'],
    ['a word of ours within it saves nothing', ['refunded to Anna'], 'erased'],
    ['none stays none', [null], null],
  ],
} satisfies Tables
