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
  /** Of these, `--short` plays what the figures to reach are about. */
  short: { levels: number[]; contenders: string[] }
  /** A minute instead of some seconds, played once; see `Settings.sustained`. */
  sustained?: boolean
  play(running: Running): Play
}

const BY_DEFAULT = ['ours', 'dbos', 'restate']

export const create: Suite = {
  name: 'create',
  title: 'Create: points held, their release to come',
  levels: [1, 8, 16, 32],
  contenders: [ours, ...CREATE_PEERS, bareStart, bareDebit],
  short: { levels: [1, 16], contenders: [...BY_DEFAULT, 'dbos-armed', 'restate-armed'] },
  play: createPlay,
}

export const cycle: Suite = {
  name: 'cycle',
  title: 'Full cycle: created, paid, applied',
  levels: [1, 16],
  contenders: [ours, ...CYCLE_PEERS],
  short: { levels: [1, 16], contenders: BY_DEFAULT },
  play: cyclePlay,
}

export const createSustained: Suite = {
  name: 'create-sustained',
  title: 'Create, sustained: answered, and the run started in the engine',
  levels: [16],
  contenders: [ours, ...chosen(CREATE_PEERS, BY_DEFAULT)],
  short: { levels: [16], contenders: BY_DEFAULT },
  sustained: true,
  play: createPlay,
}

export const cycleSustained: Suite = {
  name: 'cycle-sustained',
  title: 'Full cycle, sustained: applied, and the run completed in the engine',
  levels: [16],
  contenders: [ours, ...chosen(CYCLE_PEERS, BY_DEFAULT)],
  short: { levels: [16], contenders: BY_DEFAULT },
  sustained: true,
  play: cyclePlay,
}

export const debit: Suite = {
  name: 'debit',
  title: 'Debit alone: one call of a function in Postgres',
  levels: [1, 8, 32],
  contenders: DEBIT_CONTENDERS,
  short: { levels: [8], contenders: ['ours', 'ours-redemption', 'bare'] },
  play: createPlay,
}

function chosen(contenders: Contender[], names: string[]): Contender[] {
  return contenders.filter(({ name }) => names.includes(name))
}

/** Who has to prove that it keeps its promise before anything is measured. */
export const PROVED: Contender[] = [ours, ...CREATE_PEERS, ...CYCLE_PEERS]
