import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { parse as csvParse } from 'csv-parse'
import { rowOfRecord } from './row.ts'

/** A row as its line holds it, or what is wrong with the line itself. */
export type Line = { readonly line: number; readonly row?: unknown; readonly wrong?: string }

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

function parsed(text: string): { row: unknown } | { wrong: string } {
  try {
    return { row: JSON.parse(text) as unknown }
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

type Record = { record: string[]; info: { lines: number } }

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
  const records: AsyncIterable<Record> = source.pipe(parser)
  let header: string[] | undefined
  let line = 0
  try {
    for await (const { record, info } of records) {
      line = info.lines
      if (record.some((field) => field.includes(REPLACED))) yield { line, wrong: NOT_UTF8 }
      else if (header === undefined) header = record.map((name) => name.trim())
      else yield recordLine(header, record, line)
      if (header === undefined || new Set(header).size !== header.length) {
        yield { line, wrong: 'is no header: every column needs a name of its own' }
        return
      }
    }
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || !String(error.code).startsWith('CSV_'))
      throw error
    const at = 'lines' in error && typeof error.lines === 'number' ? error.lines : line + 1
    yield { line: at, wrong: 'is not CSV: its quotes do not close, or it is too long' }
  }
}

function recordLine(header: readonly string[], record: readonly string[], line: number): Line {
  if (record.length !== header.length) {
    return { line, wrong: `has ${record.length} fields, the header has ${header.length}` }
  }
  return {
    line,
    row: rowOfRecord(Object.fromEntries(header.map((name, i) => [name, record[i] ?? '']))),
  }
}
