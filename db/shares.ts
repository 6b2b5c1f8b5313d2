import { Refused } from '../domain/refusal.ts'

/** How the connections of a pool are divided between those who want them. */
export type ShareLimits = {
  /** Connections that workspaces may hold together. */
  readonly connections: number
  /** Of one account at once: the first works, the others wait for its lock in Postgres's own fair queue. */
  readonly perAccount: number
  /** Requests of one workspace that may wait here; one more is refused with too_many_requests. */
  readonly waitingPerWorkspace: number
  /** The same of one account. */
  readonly waitingPerAccount: number
  /** How long one waits at most, in milliseconds; then temporarily_unavailable. */
  readonly waitMs: number
}

type Wish = {
  readonly account: string | undefined
  readonly grant: () => void
}

type Use = { held: number; readonly waiting: Wish[] }

const SHARED = 3 / 4 // the rest is free when one more workspace comes

/**
 * Hands out the right to hold a connection, so that whoever waits for a lock keeps only its own workspace
 * waiting. Three quarters are divided equally between the workspaces that want some. Within a workspace an account holds a few at most,
 * and the rest go to its other accounts. Who waits, waits here, in the order of coming, and holds none.
 */
export class Shares {
  readonly #limits: ShareLimits
  readonly #uses = new Map<string, Use>()
  readonly #accounts = new Map<string, { held: number; waiting: number }>()
  #held = 0

  constructor(limits: ShareLimits) {
    this.#limits = limits
  }

  /**
   * Waits for a share and runs `work` with it. Refuses with too_many_requests where too many of this
   * workspace or account wait already, with temporarily_unavailable after `waitMs`.
   */
  async use<T>(workspace: string, account: string | undefined, work: () => Promise<T>): Promise<T> {
    const key = account === undefined ? undefined : `${workspace} ${account}`
    if (this.#mayTake(workspace, key)) this.#take(workspace, key)
    else await this.#wait(workspace, key)
    try {
      return await work()
    } finally {
      this.#release(workspace, key)
    }
  }

  #mayTake(workspace: string, account: string | undefined): boolean {
    return (
      this.#held < this.#limits.connections &&
      (this.#uses.get(workspace)?.held ?? 0) < this.#shareOf(workspace) &&
      this.#accountIsFree(account)
    )
  }

  #accountIsFree(account: string | undefined): boolean {
    if (account === undefined) return true
    return (this.#accounts.get(account)?.held ?? 0) < this.#limits.perAccount
  }

  #shareOf(workspace: string): number {
    const active = this.#uses.size + (this.#uses.has(workspace) ? 0 : 1)
    return Math.max(1, Math.floor((this.#limits.connections * SHARED) / active))
  }

  #take(workspace: string, account: string | undefined): void {
    this.#held++
    this.#useOf(workspace).held++
    if (account !== undefined) this.#accountOf(account).held++
  }

  #wait(workspace: string, account: string | undefined): Promise<void> {
    const { waitingPerWorkspace, waitingPerAccount, waitMs } = this.#limits
    const { waiting } = this.#useOf(workspace)
    const line = account === undefined ? undefined : this.#accountOf(account)
    if (waiting.length >= waitingPerWorkspace || (line?.waiting ?? 0) >= waitingPerAccount) {
      this.#forget(workspace, account)
      throw new Refused({
        code: 'too_many_requests',
        message:
          'Too many requests of this workspace or account wait already. Nothing was written.',
      })
    }
    if (line !== undefined) line.waiting++
    return new Promise((resolve, reject) => {
      const wish: Wish = {
        account,
        grant: () => {
          clearTimeout(limit)
          if (line !== undefined) line.waiting--
          this.#take(workspace, account)
          resolve()
        },
      }
      const limit = setTimeout(() => {
        waiting.splice(waiting.indexOf(wish), 1)
        if (line !== undefined) line.waiting--
        this.#forget(workspace, account)
        this.#grantAll()
        reject(
          new Refused({
            code: 'temporarily_unavailable',
            message:
              'Earlier requests of this workspace take long. Nothing was written; try again.',
          }),
        )
      }, waitMs)
      waiting.push(wish)
    })
  }

  #release(workspace: string, account: string | undefined): void {
    this.#held--
    this.#useOf(workspace).held--
    if (account !== undefined) this.#accountOf(account).held--
    this.#forget(workspace, account)
    this.#grantAll()
  }

  /** Gives what is free to those who wait, the workspaces in turn. */
  #grantAll(): void {
    let wish = this.#next()
    while (wish !== undefined) {
      wish.grant()
      wish = this.#next()
    }
  }

  #next(): Wish | undefined {
    if (this.#held >= this.#limits.connections) return undefined
    for (const [workspace, use] of this.#uses) {
      if (use.waiting.length === 0 || use.held >= this.#shareOf(workspace)) continue
      const place = use.waiting.findIndex(({ account }) => this.#accountIsFree(account))
      if (place < 0) continue
      this.#uses.delete(workspace) // to the end of the order: the others come first the next time
      this.#uses.set(workspace, use)
      return use.waiting.splice(place, 1)[0]
    }
    return undefined
  }

  #useOf(workspace: string): Use {
    const known = this.#uses.get(workspace)
    if (known !== undefined) return known
    const use: Use = { held: 0, waiting: [] }
    this.#uses.set(workspace, use)
    return use
  }

  #accountOf(account: string) {
    const known = this.#accounts.get(account)
    if (known !== undefined) return known
    const line = { held: 0, waiting: 0 }
    this.#accounts.set(account, line)
    return line
  }

  /** Keeps nothing of those who neither hold nor wait. */
  #forget(workspace: string, account: string | undefined): void {
    const use = this.#uses.get(workspace)
    if (use !== undefined && use.held === 0 && use.waiting.length === 0) {
      this.#uses.delete(workspace)
    }
    if (account === undefined) return
    const line = this.#accounts.get(account)
    if (line !== undefined && line.held === 0 && line.waiting === 0) this.#accounts.delete(account)
  }
}
