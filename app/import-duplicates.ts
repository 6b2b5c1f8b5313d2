import { createHash } from 'node:crypto'

const WORDS = 4 // three of the hash, and the line
const FIRST_SLOTS = 1_024
const MOST_FULL = 0.75 // beyond it a search takes more steps than a larger table costs

/**
 * Finds an earlier row that says the same, by 96 bits of its hash. A table of numbers, doubled as it fills:
 * a million rows cost 32 MB while they are read, and half as much again while it doubles.
 */
export function duplicates(): (row: object, line: number) => number | undefined {
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
