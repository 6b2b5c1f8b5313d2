import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { ask, type RunningStack } from './stack.ts'

const WITHIN_MS = 120_000
const CHECK_EVERY_MS = 100

/** The demo shop of a running stack, as its users and the owner of its database reach it. */
export class Shop {
  readonly stack: RunningStack
  readonly owner: pg.Client

  private constructor(stack: RunningStack, owner: pg.Client) {
    this.stack = stack
    this.owner = owner
  }

  static async open(stack: RunningStack): Promise<Shop> {
    const owner = new pg.Client({ connectionString: stack.ownerUrl })
    await owner.connect()
    return new Shop(stack, owner)
  }

  close(): Promise<void> {
    return this.owner.end()
  }

  /** The answer's body; throws where it is refused. */
  async post(path: string, body: object | string = {}, headers: Record<string, string> = {}) {
    return this.done('POST', path, body, headers)
  }

  async patch(path: string, body: object) {
    return this.done('PATCH', path, body)
  }

  async get(path: string) {
    return this.done('GET', path)
  }

  private async done(
    method: 'GET' | 'POST' | 'PATCH',
    path: string,
    body?: object | string,
    headers: Record<string, string> = {},
  ) {
    const answer = await ask(this.stack, method, path, body, headers)
    if (answer.status < 300) return answer.body
    throw new Error(
      `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body).slice(0, 500)}`,
    )
  }

  async member(points: number, more: object = {}): Promise<string> {
    const { id } = await this.post('/v1/loyalty/accounts', { program: 'prog_default', ...more })
    if (points > 0) await this.credit(String(id), points)
    return String(id)
  }

  credit(account: string, amount: number, more: object = {}) {
    const movement = { account, amount, reason: 'recorded', ...more }
    return this.post('/v1/loyalty/transactions', movement)
  }

  async reward(more: object): Promise<string> {
    const value = { amount: 500, currency: 'EUR' }
    const reward = { name: 'Five off', type: 'discount_amount', cost: 100, value, ...more }
    return String((await this.post('/v1/loyalty/rewards', reward)).id)
  }

  /** By a member who has nothing else. */
  async redeem(reward: string, more: object = {}): Promise<string> {
    const account = await this.member(1_000)
    return String((await this.post('/v1/loyalty/redemptions', { account, reward, ...more })).id)
  }

  /** Waits until the statement's column `done` is true. */
  async until(sql: string, values: unknown[] = []): Promise<void> {
    const end = performance.now() + WITHIN_MS
    for (;;) {
      const { rows } = await this.owner.query(sql, values)
      if (rows[0]?.done === true) return
      if (performance.now() > end) throw new Error(`never so: ${sql}`)
      await delay(CHECK_EVERY_MS)
    }
  }

  /** While it acts, whoever writes for this member waits; `waiting` resolves when so many do. */
  async holding<T>(
    account: string,
    act: (waiting: (count: number) => Promise<void>) => Promise<T>,
  ): Promise<T> {
    const key = [this.stack.workspace + account]
    await this.owner.query('select pg_advisory_lock(hashtextextended($1, 0))', key)
    try {
      return await act((count) =>
        this.until(
          `select count(*) = $1 as done from pg_locks where locktype = 'advisory' and not granted`,
          [count],
        ),
      )
    } finally {
      await this.owner.query('select pg_advisory_unlock(hashtextextended($1, 0))', key)
    }
  }
}
