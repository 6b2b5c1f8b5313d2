import { expirySpreadMs } from '../../../../domain/expiry.ts'
import type { Tables, Value } from '../rule.ts'

const BERLIN = 'Europe/Berlin'
const rolling = (expiry_months: number, more: Record<string, Value> = {}) => ({
  expiry_mode: 'rolling',
  expiry_months,
  expiry_round_to: 'day',
  expiry_time_zone: 'UTC',
  ...more,
})
const fixed = (expiry_fixed_date: string, expiry_time_zone = 'UTC') => ({
  expiry_mode: 'fixed',
  expiry_fixed_date,
  expiry_time_zone,
})
const warns = (expiry_warn_days_before: number | null, expiry_time_zone = 'UTC') => ({
  expiry_warn_days_before,
  expiry_time_zone,
})

export const tables = {
  lot_due_at: [
    ['a lot that never expires is never due', [{ extends_with_activity: false }, null], null],
    [
      'one with a date of its own is due then, whatever the activity',
      [{ expires_at: '2026-01-01T00:00Z', extends_with_activity: false }, '2027-01-01T00:00Z'],
      '2026-01-01T00:00Z',
    ],
    [
      'one that extends with activity is due at the later of both',
      [{ expires_at: '2026-01-01T00:00Z', extends_with_activity: true }, '2027-01-01T00:00Z'],
      '2027-01-01T00:00Z',
    ],
    [
      'an older activity does not bring its date forward',
      [{ expires_at: '2026-01-01T00:00Z', extends_with_activity: true }, '2025-01-01T00:00Z'],
      '2026-01-01T00:00Z',
    ],
    [
      'nor does none',
      [{ expires_at: '2026-01-01T00:00Z', extends_with_activity: true }, null],
      '2026-01-01T00:00Z',
    ],
  ],
  points_expiry: [
    ['a program without expiry has none', [{ expiry_mode: 'never' }, '2026-01-15T10:00Z'], null],
    [
      'so many months later, at the end of that day',
      [rolling(12), '2026-01-15T10:00Z'],
      '2027-01-16T00:00Z',
    ],
    [
      'a midnight is the end of its day already',
      [rolling(1), '2026-01-15T00:00Z'],
      '2026-02-15T00:00Z',
    ],
    ['a month that is too short clamps', [rolling(1), '2026-01-31T10:00Z'], '2026-03-01T00:00Z'],
    ['to 29 February in a leap year', [rolling(1), '2028-01-31T10:00Z'], '2028-03-01T00:00Z'],
    [
      'rounded up to the end of the month',
      [rolling(2, { expiry_round_to: 'month' }), '2026-01-15T10:00Z'],
      '2026-04-01T00:00Z',
    ],
    [
      'the first moment of a month is its end already',
      [rolling(1, { expiry_round_to: 'month' }), '2026-01-01T00:00Z'],
      '2026-02-01T00:00Z',
    ],
    [
      'the day is the program’s, not UTC’s',
      [rolling(1, { expiry_time_zone: BERLIN }), '2026-01-15T23:30Z'],
      '2026-02-16T23:00Z',
    ],
    [
      'over a change of clocks it stays midnight',
      [rolling(3, { expiry_time_zone: BERLIN }), '2026-01-15T10:00Z'],
      '2026-04-15T22:00Z',
    ],
    [
      'a fixed date is the end of that day, this year',
      [fixed('12-31'), '2026-05-01T00:00Z'],
      '2027-01-01T00:00Z',
    ],
    ['on the day itself too', [fixed('05-01'), '2026-05-01T23:59:59Z'], '2026-05-02T00:00Z'],
    ['after its end it is next year’s', [fixed('05-01'), '2026-05-02T00:00Z'], '2027-05-02T00:00Z'],
    [
      '29 February is the 28th where there is none',
      [fixed('02-29'), '2026-01-01T00:00Z'],
      '2026-03-01T00:00Z',
    ],
    ['and itself where there is one', [fixed('02-29'), '2028-01-01T00:00Z'], '2028-03-01T00:00Z'],
    [
      'the year is the program’s, not UTC’s',
      [fixed('12-31', BERLIN), '2026-12-31T23:30Z'],
      '2027-12-31T23:00Z',
    ],
  ],
  expiry_check_at: [
    ['nothing due, nothing to check', [warns(7), null, '2026-01-01T00:00Z'], null],
    [
      'without warnings it is when something is due',
      [warns(null), '2026-02-01T00:00Z', '2026-01-01T00:00Z'],
      '2026-02-01T00:00Z',
    ],
    [
      'with them it is so many days before',
      [warns(7), '2026-02-01T00:00Z', '2026-01-01T00:00Z'],
      '2026-01-25T00:00Z',
    ],
    [
      'a warning that is late is due now',
      [warns(7), '2026-02-01T00:00Z', '2026-01-30T12:00Z'],
      '2026-01-30T12:00Z',
    ],
    [
      'what is due already needs no warning',
      [warns(7), '2026-02-01T00:00Z', '2026-02-01T00:00Z'],
      '2026-02-01T00:00Z',
    ],
    [
      'days are the program’s, over a change of clocks too',
      [warns(7, BERLIN), '2026-03-31T22:00Z', '2026-01-01T00:00Z'],
      '2026-03-24T23:00Z',
    ],
  ],
  expiry_is_shared: [
    ['a midnight is shared by many accounts', [warns(null), '2026-02-01T00:00Z'], true],
    ['another time is an account’s own', [warns(null), '2026-02-01T00:00:01Z'], false],
    ['midnight is the program’s', [warns(null, BERLIN), '2026-01-31T23:00Z'], true],
    ['UTC’s is none there', [warns(null, BERLIN), '2026-02-01T00:00Z'], false],
  ],
  // The same as a workflow's in domain/, within four hours.
  expiry_spread_ms: [
    ['of nothing', [''], 2_166_136_261 % 14_400_000],
    ['of an account, always the same', ['loy_8sd2k1'], 6_848_303],
    ['as the workflow reckons it', ['loy_8sd2k1'], expirySpreadMs('loy_8sd2k1')],
    ['of its neighbour, another', ['loy_8sd2k2'], expirySpreadMs('loy_8sd2k2')],
    ['of any sign', ['loy_ÿ€'], expirySpreadMs('loy_ÿ€')],
  ],
} satisfies Tables
