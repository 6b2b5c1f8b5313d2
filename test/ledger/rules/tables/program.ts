import type { Tables } from '../rule.ts'

const BERLIN = 'Europe/Berlin'
const SANTIAGO = 'America/Santiago'
const HAVANA = 'America/Havana'

/** From the one to before the other, as Postgres writes it. */
const window = (from: string, to: string) => `["${from}:00+00","${to}:00+00")`

export const tables = {
  local_midnight: [
    ['in UTC', ['2026-03-29', 'UTC'], '2026-03-29T00:00Z'],
    ['in winter', ['2026-01-15', BERLIN], '2026-01-14T23:00Z'],
    ['in summer', ['2026-07-15', BERLIN], '2026-07-14T22:00Z'],
    // Santiago turns its clocks at midnight: 6 September 2026 begins at one o'clock.
    [
      'a midnight that is skipped is the moment after',
      ['2026-09-06', SANTIAGO],
      '2026-09-06T04:00Z',
    ],
    // Havana goes back from one o'clock to midnight on 1 November 2026.
    ['a midnight that comes twice is the first', ['2026-11-01', HAVANA], '2026-11-01T04:00Z'],
  ],
  window_of: [
    ['all of time', ['lifetime', '2026-05-13T10:00Z', 'UTC'], '(,)'],
    ['a day', ['day', '2026-05-13T10:00Z', 'UTC'], window('2026-05-13 00:00', '2026-05-14 00:00')],
    [
      'its first moment is in it',
      ['day', '2026-05-13T00:00Z', 'UTC'],
      window('2026-05-13 00:00', '2026-05-14 00:00'),
    ],
    [
      'the last of the one before is not',
      ['day', '2026-05-12T23:59:59.999Z', 'UTC'],
      window('2026-05-12 00:00', '2026-05-13 00:00'),
    ],
    [
      'a week begins on a Monday',
      ['week', '2026-05-17T23:00Z', 'UTC'],
      window('2026-05-11 00:00', '2026-05-18 00:00'),
    ],
    [
      'a month, however long it is',
      ['month', '2026-02-28T10:00Z', 'UTC'],
      window('2026-02-01 00:00', '2026-03-01 00:00'),
    ],
    [
      'a month over the end of a year',
      ['month', '2026-12-31T10:00Z', 'UTC'],
      window('2026-12-01 00:00', '2027-01-01 00:00'),
    ],
    [
      'the day is the zone’s',
      ['day', '2026-05-12T22:30Z', BERLIN],
      window('2026-05-12 22:00', '2026-05-13 22:00'),
    ],
    [
      'a day of 23 hours',
      ['day', '2026-03-29T10:00Z', BERLIN],
      window('2026-03-28 23:00', '2026-03-29 22:00'),
    ],
    [
      'a month over a change of clocks',
      ['month', '2026-03-10T10:00Z', BERLIN],
      window('2026-02-28 23:00', '2026-03-31 22:00'),
    ],
    [
      'a day whose midnight is skipped begins after it',
      ['day', '2026-09-06T12:00Z', SANTIAGO],
      window('2026-09-06 04:00', '2026-09-07 03:00'),
    ],
    [
      'and the one before ends there',
      ['day', '2026-09-05T12:00Z', SANTIAGO],
      window('2026-09-05 04:00', '2026-09-06 04:00'),
    ],
    [
      'a day that has its midnight twice holds the hour in between',
      ['day', '2026-11-01T04:30Z', HAVANA],
      window('2026-11-01 04:00', '2026-11-02 05:00'),
    ],
    [
      'and the one before ends at the first',
      ['day', '2026-10-31T12:00Z', HAVANA],
      window('2026-10-31 04:00', '2026-11-01 04:00'),
    ],
  ],
} satisfies Tables
