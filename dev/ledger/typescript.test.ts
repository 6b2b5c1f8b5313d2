import { expect, test } from 'vitest'
import { commentsOf } from './comments.ts'
import type { EntryPoint } from './entry-points.ts'
import { typescriptOf } from './typescript.ts'

const TEXT = 'text'
const TIME = 'timestamp with time zone'

const lotMove: EntryPoint = {
  name: 'lot_move',
  parameters: [
    { name: 'p_workspace', type: TEXT, hasDefault: false },
    { name: 'p_lots', type: 'jsonb', hasDefault: false },
    { name: 'p_at', type: TIME, hasDefault: false },
    { name: 'p_most', type: 'integer', hasDefault: true },
  ],
  columns: [],
  result: 'jsonb',
  isSet: false,
  writes: true,
}

const TAGS = ['@returns Moved | null', '@param p_lots MovedLot[]', '@null p_at']
const TYPES = new Map([
  ['Moved', 'lot.ts'],
  ['MovedLot', 'lot.ts'],
])

const printed = (
  entryPoint: Partial<EntryPoint> = {},
  tags: readonly string[] = TAGS,
): (() => string) => {
  const comment = tags.map((tag) => `-- ${tag}\n`).join('')
  const sql = `-- Moves lots.\n${comment}create or replace function ledger.lot_move(\n`
  return () => typescriptOf([{ ...lotMove, ...entryPoint }], commentsOf('lot.sql', sql), TYPES)
}

test('a function takes an object: what has a default may be left out, and only what the comment says may be null', () => {
  const text = printed()()
  expect(text).toContain(
    'lotMove = command<{ workspace: string; lots: MovedLot[]; at: string | Date | null; most?: number }, Moved | null>',
  )
  expect(text).toContain(`'lot_move', ['workspace', 'lots::jsonb', 'at', 'most?'])`)
  expect(text).toContain(`import type { Moved, MovedLot } from './results/lot.ts'`)
})

test('a function that only reads, one of many values and a table are each called in their own way', () => {
  expect(printed({ writes: false })()).toContain('= read<')
  expect(printed({ isSet: true })()).toContain('= list<')
  const columns = [
    { name: 'workspace', type: TEXT },
    { name: 'due_at', type: TIME },
  ]
  const table = { columns, result: 'record', isSet: true, parameters: [] }
  expect(printed(table, ['@null due_at'])()).toContain(
    '= table<Record<string, never>, { workspace: string; due_at: Date | null }>',
  )
})

test('what is only ever a part of a query has no function', () => {
  expect(printed({}, ['@query'])()).not.toContain('lotMove')
})

test('what a comment leaves open, or says of nothing, is refused by the function’s name', () => {
  const without = (tag: string) => TAGS.filter((one) => !one.startsWith(tag))
  const cases: [tags: string[], why: string][] = [
    [without('@returns'), 'a jsonb result needs its `-- @returns Type`'],
    [without('@param'), 'the parameter p_lots is jsonb: say `-- @param p_lots Type`'],
    [[...TAGS, '@null p_lot'], 'it has no p_lot'],
    [[...TAGS, '@param p_lotts string'], 'it has no p_lotts'],
    [['@returns Moved', '@param p_lots Lot[]'], 'no file of db/results exports a type Lot'],
    [[...TAGS, '@nul p_at'], 'nobody knows `-- @nul p_at`'],
  ]
  for (const [tags, why] of cases) {
    expect(printed({}, tags), why).toThrow(why)
    expect(printed({}, tags)).toThrow('lot_move')
  }
  expect(printed({ result: TEXT })).toThrow('@returns is for jsonb, and this is text')
})
