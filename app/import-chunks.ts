import { chunkNumber, IMPORT_LANES } from '../domain/bulk.ts'
import type { Chunk } from './uploads.ts'

// Rows written in one transaction: its accounts are locked for some 100 ms. Also so many are judged at once.
export const CHUNK = 500
// And not many more characters: what is gathered stays small, however long the rows are.
const CHUNK_LENGTH = 1_000_000

/** Gathers rows by their lane; hands over a lane's chunk when it is full, and what is left at the end. */
export function laneChunks() {
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
