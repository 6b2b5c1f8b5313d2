/** Lanes that write an import side by side: two use two cores, more only wait for each other. */
export const IMPORT_LANES = 2

/**
 * The lane that writes an account's rows, 0 to IMPORT_LANES - 1, the same every time: one account's
 * rows are written in the order of their lines, so that a debit finds the credits above it.
 */
export function importLane(account: string): number {
  let hash = 2_166_136_261 // FNV-1a
  for (const sign of account) hash = Math.imul(hash ^ (sign.codePointAt(0) ?? 0), 16_777_619)
  return ((hash ^ (hash >>> 16)) >>> 0) % IMPORT_LANES
}

/** The number of a lane's chunk: a lane's chunks are written in the order of their numbers. */
export const chunkNumber = (lane: number, ofLane: number): number => ofLane * IMPORT_LANES + lane

export const laneOfChunk = (no: number): number => no % IMPORT_LANES
