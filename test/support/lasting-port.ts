import { randomInt } from 'node:crypto'
import { freePort } from '../../dev/ports.ts'

const BELOW_EPHEMERAL = [12_000, 32_000] as const // Linux's own begin at 32,768

/** A port that no connection of anybody takes while the process that had it is dead. */
export async function lastingPort(): Promise<number> {
  for (;;) {
    const wanted = randomInt(...BELOW_EPHEMERAL)
    if ((await freePort(wanted)) === wanted) return wanted
  }
}
