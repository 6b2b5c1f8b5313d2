import type { Hash } from 'node:crypto'
import { type Readable, Transform } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { CsvError, parse as csvParse } from 'csv-parse'
import { z } from 'zod'
import { Unavailable } from '../../app/unavailable.ts'
import { Refused } from '../../domain/refusal.ts'
import { pointsMoved } from '../schemas/amounts.ts'
import { id } from '../schemas/ids.ts'
import { metadata, text } from '../schemas/text.ts'
import { bodyTime } from '../schemas/times.ts'

/**
 * A row as its line holds it, or what is wrong with the line itself. `fraction`: how many digits the
 * amount has behind its point as it is written, which the number itself does not tell: 1.000 has 3.
 */
export type Line = {
  readonly line: number
  readonly row?: unknown
  readonly fraction?: number
  readonly wrong?: string
}

const LONGEST_LINE = 65_536 // far above any row: what has no line ends is no such file
const REPLACED = '\uFFFD'
const NOT_UTF8 = 'is not UTF-8'

/** Rows of newline-delimited JSON; a byte-order mark and empty lines are passed over. */
export async function* ndjsonLines(source: AsyncIterable<Buffer>): AsyncGenerator<Line> {
  let line = 0
  for await (const text of textLines(source)) {
    line++
    if (text.trim() === '') continue
    if (text.length > LONGEST_LINE) {
      yield { line, wrong: `is longer than ${LONGEST_LINE} characters` }
      return
    }
    yield text.includes(REPLACED) ? { line, wrong: NOT_UTF8 } : { line, ...parsed(text) }
  }
}

// A number behind the key: inside of a text its quotes would be escaped.
const AMOUNT = /(?<!\\)"amount"\s*:\s*(-?\d+\.\d+)/

function parsed(text: string): Omit<Line, 'line'> {
  try {
    return { row: JSON.parse(text) as unknown, fraction: fractionOf(AMOUNT.exec(text)?.[1]) }
  } catch {
    return { wrong: 'is not JSON' }
  }
}

async function* textLines(source: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let first = true
  for await (const chunk of source) {
    rest += decoder.write(chunk)
    if (first && rest !== '') {
      first = false
      if (rest.startsWith('\uFEFF')) rest = rest.slice(1)
    }
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    yield* lines
    if (rest.length > LONGEST_LINE) break
  }
  rest += decoder.end()
  if (rest !== '') yield rest
}

type CsvRecord = { record: string[]; info: { lines: number } }

/** Rows of CSV (RFC 4180) under a header line; a byte-order mark is passed over. */
export async function* csvLines(source: Readable): AsyncGenerator<Line> {
  const parser = csvParse({
    bom: true,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: LONGEST_LINE,
  })
  source.on('error', (error) => parser.destroy(error))
  const records: AsyncIterable<CsvRecord> = source.pipe(parser)
  let header: string[] | undefined
  let line = 0
  try {
    for await (const { record, info } of records) {
      line = info.lines
      if (record.some((field) => field.includes(REPLACED))) yield { line, wrong: NOT_UTF8 }
      else if (header === undefined) header = record.map((name) => name.trim())
      else yield recordLine(header, record, line)
      const fault = faultOf(header)
      if (fault !== undefined) {
        yield { line, wrong: `is no header: ${fault}` }
        return
      }
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    const at = typeof error.lines === 'number' ? error.lines : line + 1
    yield { line: at, wrong: `is not CSV: ${CSV_FAULTS[error.code] ?? 'it cannot be read'}` }
  }
}

const CSV_FAULTS: Readonly<{ [code: string]: string }> = {
  INVALID_OPENING_QUOTE:
    'a quote stands inside a field; such a field is written in quotes, and each of its own doubled',
  CSV_INVALID_CLOSING_QUOTE:
    'a quote inside a field in quotes is not doubled, or a field goes on behind its quotes',
  CSV_QUOTE_NOT_CLOSED: 'its quotes do not close',
  CSV_MAX_RECORD_SIZE: `it is longer than ${LONGEST_LINE} characters, or its quotes do not close`,
}

const SEPARATORS: ReadonlyMap<string, string> = new Map([
  [';', 'a semicolon'],
  ['\t', 'a tab'],
  ['|', 'a bar'],
])

function faultOf(header: readonly string[] | undefined): string | undefined {
  const [only = ''] = header?.length === 1 ? header : []
  for (const [separator, name] of SEPARATORS) {
    if (only.includes(separator))
      return `columns are separated by a comma (,), and this file has ${name}`
  }
  if (header === undefined || new Set(header).size !== header.length) {
    return 'every column needs a name of its own'
  }
  return undefined
}

function recordLine(header: readonly string[], record: readonly string[], line: number): Line {
  if (record.length !== header.length) {
    return { line, wrong: `has ${record.length} fields, the header has ${header.length}` }
  }
  const fields = Object.fromEntries(header.map((name, i) => [name, record[i] ?? '']))
  return { line, row: rowOfRecord(fields), fraction: fractionOf(fields.amount) }
}

const fractionOf = (amount: string | undefined): number => amount?.split('.')[1]?.length ?? 0

const CUT_SHORT = 'The body ended before its time.'
// A million rows with their notes; its chunks take as much of the database until they are written.
export const MOST_BYTES = 200_000_000

/** Hashes what passes; ends with body_too_large beyond the most of bytes. */
export function counted(source: Readable, hash: Hash, most = MOST_BYTES): Transform {
  let bytes = 0
  const counter = new Transform({
    transform(data: Buffer, _encoding, done) {
      bytes += data.length
      if (bytes > most) return done(tooLarge(most))
      hash.update(data)
      done(null, data)
    },
  })
  source.on('error', (error) => counter.destroy(error))
  source.on('aborted', () => counter.destroy(new Unavailable(CUT_SHORT)))
  counter.on('close', () => source.unpipe(counter).resume()) // what comes after its end is not read
  return source.pipe(counter)
}

const tooLarge = (most: number) =>
  new Refused({ code: 'body_too_large', message: `The file has more than ${most} bytes.` })

/** Reads the stream to its end for its hash alone. */
export async function hashed(stream: Readable, hash: Hash): Promise<void> {
  try {
    for await (const _ of counted(stream, hash));
  } catch (error) {
    if (error instanceof Refused) throw error
    throw new Unavailable(CUT_SHORT, error)
  }
}

const LONGEST_REASON = 200
const LONGEST_KEY = 255

/** One row of an import. */
export const ImportRow = z
  .strictObject({
    account: id('loy'),
    amount: pointsMoved,
    reason: text(LONGEST_REASON).default('import'),
    expires_at: bodyTime.optional(),
    key: text(LONGEST_KEY)
      .optional()
      .meta({ description: 'Tells rows apart that are otherwise the same.' }),
    metadata: metadata.default({}),
  })
  .refine(({ amount, expires_at }) => expires_at === undefined || amount > 0, {
    error: 'only a credit expires',
    path: ['expires_at'],
  })

const NUMBER = /^[+-]?\d{1,15}(\.\d{1,15})?$/

/** A CSV record in the form of an NDJSON row: empty fields are absent, `metadata.x` columns are its keys. */
export function rowOfRecord(record: Readonly<Record<string, string>>): Record<string, unknown> {
  const row = new Map<string, unknown>()
  const notes = new Map<string, string>()
  for (const [name, value] of Object.entries(record)) {
    if (value === '') continue
    if (name.startsWith('metadata.')) notes.set(name.slice('metadata.'.length), value)
    else row.set(name, name === 'amount' && NUMBER.test(value) ? Number(value) : value)
  }
  if (notes.size > 0) row.set('metadata', Object.fromEntries(notes))
  return Object.fromEntries(row)
}
