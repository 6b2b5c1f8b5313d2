import { readdir, readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'

// How db/sql is written: what a reader counts on, and what `migrate` (functions.ts) does.

const FOLDER = new URL('./sql/', import.meta.url)
const COLUMNS = 100
const LINES = 70
// Each is one statement, which has no half to name.
const ONE_STATEMENT = ['ledger_private.bulk_credit', 'ledger_private.payment_mismatches']

// Up to the end of the body, which is quoted by two dollars.
const REST = String.raw`[^$]*\$\$(?:[^$]|\$(?!\$))*\$\$;\n`

// A column of a parameter list, a line of `declare`, or the short name of a table.
const SINGLE_LETTER =
  /(?:[(,] ?|^ +)[a-z] [a-z_]+(?:\[\])?(?=[,);]| :=| default)|\b(?:from|join|update) \w+(?: as)? [a-z]\b(?! *\()/gm

const names = (await readdir(FOLDER)).toSorted()
const files = await Promise.all(
  names.map(async (file) => ({ file, text: await readFile(new URL(file, FOLDER), 'utf8') })),
)

type SqlFunction = { name: string; comment: boolean; lines: number }

const functionsOf = (text: string): SqlFunction[] =>
  [
    ...text.matchAll(new RegExp(`(^--.*\\n)?^create or replace function ([\\w.]+)${REST}`, 'gm')),
  ].map(([all, comment, name = '']) => ({
    name,
    comment: comment !== undefined,
    lines: all.trimEnd().split('\n').length - (comment === undefined ? 0 : 1),
  }))

it('a file of db/sql is functions, each in the schema of those who call it, and nothing else', () => {
  const others = files.flatMap(({ file, text }) => {
    const schema = file === 'previous_release.sql' ? 'public' : 'ledger(?:_private)?'
    const ours = new RegExp(`^create or replace function ${schema}\\.${REST}`, 'gm')
    const left = text.replaceAll(ours, '').replaceAll(/^(--.*)?\n/gm, '')
    return left === '' ? [] : [{ file, left }]
  })
  expect(others).toEqual([])
})

it(`no line of db/sql is longer than ${COLUMNS} columns`, () => {
  const long = files.flatMap(({ file, text }) =>
    text
      .split('\n')
      .flatMap((line, index) => (line.length > COLUMNS ? [`${file}:${index + 1}`] : [])),
  )
  expect(long).toEqual([])
})

it(`no function of db/sql is longer than ${LINES} lines`, () => {
  const long = files
    .flatMap(({ text }) => functionsOf(text))
    .filter(({ lines }) => lines > LINES)
    .map(({ name }) => name)
  expect(long).toEqual(ONE_STATEMENT)
})

it('every function of db/sql says what it guarantees', () => {
  const silent = files
    .filter(({ file }) => file !== 'previous_release.sql')
    .flatMap(({ text }) => functionsOf(text))
    .filter(({ comment }) => !comment)
  expect(silent).toEqual([])
})

it('parameters, variables and tables of db/sql have names of more than a letter', () => {
  const letters = files
    .filter(({ file }) => file !== 'previous_release.sql')
    .flatMap(({ file, text }) =>
      [...text.replaceAll(/--.*$/gm, '').matchAll(SINGLE_LETTER)].map(
        ([named]) => `${file}: ${named.trim()}`,
      ),
    )
  expect(letters).toEqual([])
})

it('every insert of db/sql names its columns', () => {
  const inserts = files.flatMap(({ text }) => text.match(/^.*\binsert into .*$/gm) ?? [])
  expect(inserts.length).toBeGreaterThan(60)
  const without = inserts.filter((line) => !/insert into \w+( as \w+)? \(/.test(line))
  expect(without).toEqual([])
})
