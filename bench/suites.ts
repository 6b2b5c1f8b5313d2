import type { Contender, Running } from './contender.ts'
import { bareDebit, bareStart } from './contenders/bare.ts'
import { DEBIT_CONTENDERS } from './contenders/debits.ts'
import { ours } from './contenders/ours.ts'
import { CREATE_PEERS, CYCLE_PEERS } from './contenders/peers.ts'
import { createPlay, cyclePlay } from './plays.ts'
import type { Play } from './rounds.ts'

/** A load that several contenders take in turns. */
export interface Suite {
  name: string
  title: string
  levels: number[]
  contenders: Contender[]
  play(running: Running): Play
}

export const create: Suite = {
  name: 'create',
  title: 'Create: points held, their release armed',
  levels: [1, 8, 16, 32],
  contenders: [ours, ...CREATE_PEERS, bareStart, bareDebit],
  play: createPlay,
}

export const cycle: Suite = {
  name: 'cycle',
  title: 'Full cycle: created, paid, applied',
  levels: [1, 16],
  contenders: [ours, ...CYCLE_PEERS],
  play: cyclePlay,
}

export const debit: Suite = {
  name: 'debit',
  title: 'Debit alone: one call of a function in Postgres',
  levels: [1, 8, 32],
  contenders: DEBIT_CONTENDERS,
  play: createPlay,
}

/** Who has to prove that it keeps its promise before anything is measured. */
export const PROVED: Contender[] = [ours, ...CREATE_PEERS, ...CYCLE_PEERS]
