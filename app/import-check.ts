import { createHash } from 'node:crypto'
import { findImportAccounts } from '../db/bulk.ts'
import type { Pool } from '../db/pool.ts'
import { listPrograms } from '../db/programs.ts'
import { chunkNumber, IMPORT_LANES, importLane } from '../domain/bulk.ts'
import { MAX_MOVEMENT, unitsOf } from '../domain/points.ts'

/** One row of an import, in the program's points. */
type ImportRow = {
  readonly account: string
  readonly amount: number
  readonly reason: string
  readonly expires_at?: Date | undefined
  /** Tells rows apart that are otherwise the same. */
  readonly key?: string | undefined
  readonly metadata: Record<string, string>
}

/** A line as it was read: its row, or what is wrong with it. `fraction`: digits behind its amount's point, as written. */
export type ImportLine = {
  readonly line: number
  readonly row?: ImportRow
  readonly fraction?: number
  readonly error?: Omit<LineError, 'line'>
}

type LineError = { line: number; code: string; param?: string; message: string }

/** Checked rows of one lane, as JSON text. */
export type Chunk = { no: number; rows: string }

const MOST_REPORTED = 100
const MOST_ROWS = 1_000_000

/** `chunks` counts those handed over. */
export type ImportCheck = {
  /** What the rows of each program were reckoned in; 0 where it is not named. */
  decimals: ReadonlyMap<string, number>
  rows: number
  chunks: number
  errors: LineError[]
  errorCount: number
}

type Good = { line: number; row: ImportRow; fraction: number }
type Context = { pool: Pool; workspace: string; now: Date }

/**
 * Checks every line: its account, its precision, and that no other line is the same.
 * Hands over good rows by the chunk, as JSON in the ledger's units, as long as nothing is wrong.
 */
export async function checkLines(
  lines: AsyncIterable<ImportLine>,
  { pool, workspace, now }: Context,
  keep: (chunk: Chunk) => Promise<void>,
): Promise<ImportCheck> {
  const decimals = new Map((await listPrograms(pool, workspace)).map((p) => [p.id, p.decimals]))
  const checked: ImportCheck = { decimals, rows: 0, chunks: 0, errors: [], errorCount: 0 }
  const seen = duplicates()
  const chunks = laneChunks()
  let good: Good[] = []
  const report = (error: LineError): undefined => {
    checked.errorCount++
    if (checked.errors.length < MOST_REPORTED) checked.errors.push(error)
    return undefined
  }
  const check = async () => {
    if (good.length === 0) return
    const accounts = await findImportAccounts(pool, workspace, [
      ...new Set(good.map(({ row }) => row.account)),
    ])
    const rows = good.flatMap((one) => inUnits(one, accounts, decimals, report) ?? [])
    good = []
    for (const row of rows) {
      const lane = importLane(accounts.get(row.account)?.owner ?? row.account)
      await hand(chunks.add(lane, row))
    }
  }
  const hand = async (chunk: Chunk | undefined) => {
    if (chunk === undefined || checked.errorCount > 0) return
    await keep(chunk)
    checked.chunks++
  }
  for await (const line of lines) {
    checked.rows++
    if (checked.rows > MOST_ROWS) {
      report({
        line: line.line,
        code: 'body_too_large',
        message: `There are more than ${MOST_ROWS} rows.`,
      })
      break
    }
    const row = rowOf(line, now, seen, report)
    if (
      row !== undefined &&
      good.push({ line: line.line, row, fraction: line.fraction ?? 0 }) >= CHUNK
    )
      await check()
  }
  await check()
  for (const chunk of chunks.rest()) await hand(chunk)
  checked.errors.sort((a, b) => a.line - b.line)
  return checked
}

/** The row of a line, or undefined where it was reported. */
function rowOf(
  { line, row, error }: ImportLine,
  now: Date,
  seen: (row: ImportRow, line: number) => number | undefined,
  report: (error: LineError) => undefined,
): ImportRow | undefined {
  if (error !== undefined) return report({ line, ...error })
  if (row === undefined) throw new Error(`line ${line} is neither good nor wrong`)
  const invalid = (message: string, param?: string) =>
    report({ line, code: 'parameter_invalid', ...(param !== undefined && { param }), message })
  if (row.expires_at !== undefined && row.expires_at <= now) {
    return invalid('expires_at: must be in the future.', 'expires_at')
  }
  const earlier = seen(row, line)
  if (earlier !== undefined) {
    return invalid(`The same as line ${earlier}; a \`key\` of its own tells a second one apart.`)
  }
  return row
}

type Accounts = Awaited<ReturnType<typeof findImportAccounts>>

function inUnits(
  { line, row, fraction }: Good,
  accounts: Accounts,
  decimalsOf: ReadonlyMap<string, number>,
  report: (error: LineError) => undefined,
) {
  const account = accounts.get(row.account)
  if (account === undefined) {
    const message = `No such account: ${row.account}.`
    return report({ line, code: 'resource_missing', param: 'account', message })
  }
  if (account.status === 'closed') {
    return report({
      line,
      code: 'account_closed',
      param: 'account',
      message: 'The account is closed.',
    })
  }
  const decimals = decimalsOf.get(account.program) ?? 0
  const { units, exact } = unitsOf(row.amount, decimals, 'down')
  // 1.000 may be a thousand to who wrote it: more digits than the program has are never taken as a fraction
  if (!exact || fraction > decimals) {
    const message = `amount: the program has ${decimals} decimals.`
    return report({ line, code: 'invalid_precision', param: 'amount', message })
  }
  if (Math.abs(units) > MAX_MOVEMENT) {
    const message = 'amount: is larger than any movement may be.'
    return report({ line, code: 'parameter_invalid', param: 'amount', message })
  }
  const { reason, metadata, key } = row
  return {
    line,
    account: row.account,
    amount: units,
    reason,
    expires_at: row.expires_at?.toISOString() ?? null,
    metadata: key === undefined ? metadata : { ...metadata, import_key: key },
  }
}

// Rows written in one transaction: its accounts are locked for some 100 ms. Also so many are judged at once.
const CHUNK = 500
// And not many more characters: what is gathered stays small, however long the rows are.
const CHUNK_LENGTH = 1_000_000

/** Gathers rows by their lane; hands over a lane's chunk when it is full, and what is left at the end. */
function laneChunks() {
  const lanes = Array.from({ length: IMPORT_LANES }, () => ({
    rows: [] as string[],
    length: 0,
    chunks: 0,
  }))
  const take = (lane: number): Chunk | undefined => {
    const one = lanes[lane]
    if (one === undefined || one.rows.length === 0) return undefined
    const rows = `[${one.rows.join()}]`
    one.rows = []
    one.length = 0
    return { no: chunkNumber(lane, one.chunks++), rows }
  }
  return {
    add: (lane: number, row: object): Chunk | undefined => {
      const one = lanes[lane]
      if (one === undefined) throw new Error(`no lane ${lane}`)
      const text = JSON.stringify(row)
      one.rows.push(text)
      one.length += text.length
      return one.rows.length >= CHUNK || one.length >= CHUNK_LENGTH ? take(lane) : undefined
    },
    rest: (): Chunk[] => lanes.flatMap((_, lane) => take(lane) ?? []),
  }
}

const WORDS = 4 // three of the hash, and the line
const FIRST_SLOTS = 1_024
const MOST_FULL = 0.75 // beyond it a search takes more steps than a larger table costs

/**
 * Finds an earlier row that says the same, by 96 bits of its hash. A table of numbers, doubled as it fills:
 * a million rows cost 32 MB while they are read, and half as much again while it doubles.
 */
function duplicates(): (row: object, line: number) => number | undefined {
  let slots = FIRST_SLOTS
  let table = new Uint32Array(slots * WORDS)
  let rows = 0

  /** Where this hash is, or the free place where it goes; a line is never 0. */
  const placeOf = (one: number, two: number, three: number): number => {
    for (let slot = one % slots; ; slot = (slot + 1) % slots) {
      const at = slot * WORDS
      if (table[at + 3] === 0) return at
      if (table[at] === one && table[at + 1] === two && table[at + 2] === three) return at
    }
  }
  const grow = () => {
    const full = table
    slots *= 2
    table = new Uint32Array(slots * WORDS)
    for (let at = 0; at < full.length; at += WORDS) {
      const [one = 0, two = 0, three = 0, line = 0] = full.subarray(at, at + WORDS)
      if (line !== 0) table.set([one, two, three, line], placeOf(one, two, three))
    }
  }
  return (row, line) => {
    const hash = createHash('sha256').update(JSON.stringify(row)).digest()
    const [one, two, three] = [hash.readUInt32BE(0), hash.readUInt32BE(4), hash.readUInt32BE(8)]
    const at = placeOf(one, two, three)
    const earlier = table[at + 3]
    if (earlier !== 0) return earlier
    table.set([one, two, three, line], at)
    if (++rows > slots * MOST_FULL) grow()
    return undefined
  }
}
