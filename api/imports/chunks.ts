import type { Chunk } from '../../activities/bulk.ts'
import { chunkNumber, IMPORT_LANES } from '../../domain/import-lanes.ts'

// Rows written in one transaction: its accounts are locked for some 100 ms. Also so many are judged at once.
export const CHUNK = 500

/** Gathers rows by their lane; hands over a lane's chunk when it is full, and what is left at the end. */
export function laneChunks() {
  const lanes = Array.from({ length: IMPORT_LANES }, () => ({ rows: [] as object[], chunks: 0 }))
  const take = (lane: number): Chunk | undefined => {
    const one = lanes[lane]
    if (one === undefined || one.rows.length === 0) return undefined
    const rows = JSON.stringify(one.rows)
    one.rows = []
    return { no: chunkNumber(lane, one.chunks++), rows }
  }
  return {
    add: (lane: number, row: object): Chunk | undefined =>
      (lanes[lane]?.rows.push(row) ?? 0) >= CHUNK ? take(lane) : undefined,
    rest: (): Chunk[] => lanes.flatMap((_, lane) => take(lane) ?? []),
  }
}
