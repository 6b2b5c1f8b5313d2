/** Where one contender runs for one turn: everything in it is new and its own. */
export interface Turn {
  /** Superuser on the Postgres that all contenders share. */
  adminUrl: string
  /** Superuser on this turn's own, empty database. */
  databaseUrl: string
  /** An empty folder. */
  dir: string
  /** How long points stay held without a payment, in milliseconds. */
  holdMs: number
  members: number
}

/** What the contender's own stores say after the load. */
export interface Audit {
  /** Debits in its ledger. */
  debits: number
  /** Timers that would give points back; undefined where nothing is armed. */
  armed?: number
  /** Redemptions settled by a payment. */
  applied?: number
}

/** What was answered and the engine has not been told of yet. */
export interface Outbox {
  waiting: number
  /** Milliseconds since the oldest was written; 0 where none waits. */
  oldestMs: number
}

/** Runs of redemptions in the engine's own index, since the contender started. */
export interface Runs {
  /** Delayed ones included. */
  started: number
  completed: number
}

/** A contender under way. */
export interface Running {
  /** One redemption of a member (0 to members - 1); resolves with its id when the points are held. */
  create(member: number): Promise<string>
  /** Reports the payment that uses it; resolves when that was taken in, not when it is applied. */
  pay?(redemption: string): Promise<void>
  /** Which of these a payment has settled. */
  applied?(redemptions: string[]): Promise<string[]>
  /** Which of these were given back. */
  released?(redemptions: string[]): Promise<string[]>
  audit(): Promise<Audit>
  /** Absent where an answer implies that the engine knows. */
  outbox?(): Promise<Outbox>
  /** Absent where an answer implies the timer, and `applied` the end. */
  runs?(): Promise<Runs>
  stop(): Promise<void>
}

export interface Contender {
  /** In results and on the command line. */
  name: string
  /** What it does, for the table. */
  title: string
  start(turn: Turn): Promise<Running>
}
