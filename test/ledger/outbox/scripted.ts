import type { Client } from '@temporalio/client'
import { sql } from 'drizzle-orm'
import type { OutboxRow } from '../../../db/outbox.ts'
import type { Pool } from '../../../db/pool.ts'
import { transact } from '../../../db/workspace-client.ts'
import type { Engine } from '../../../temporal/engine.ts'

/** One call to Temporal, as the sender made it. */
export type Call = {
  method: 'start' | 'signalWithStart'
  workflow: string
  type: string
  options: Record<string, unknown>
}

type Answer = (call: Call) => unknown

/** A Temporal that answers as the test says and keeps what it was asked. */
export class ScriptedTemporal {
  readonly calls: Call[] = []
  inFlight = 0
  mostInFlight = 0
  /** Answers each call: a promise that it returns is waited for, what it throws is thrown. */
  answer: Answer = () => undefined
  readonly engine: Engine

  constructor() {
    const method =
      (name: Call['method']) => async (type: string, options: Record<string, unknown>) => {
        const call = { method: name, workflow: `${options.workflowId}`, type, options }
        this.calls.push(call)
        this.inFlight++
        this.mostInFlight = Math.max(this.mostInFlight, this.inFlight)
        try {
          return await this.answer(call)
        } finally {
          this.inFlight--
        }
      }
    const client = {
      workflow: { start: method('start'), signalWithStart: method('signalWithStart') },
      withDeadline: (_at: number, send: () => Promise<unknown>) => send(),
    }
    this.engine = { client: client as unknown as Client, taskQueue: 'scripted' }
  }

  /** The workflows that it was called for, in order. */
  get workflows(): string[] {
    return this.calls.map(({ workflow }) => workflow)
  }
}

/** What gRPC throws. */
export const grpcError = (code: number, message = `status ${code}`): Error =>
  new Error('the client around it', { cause: Object.assign(new Error(message), { code }) })

type Writing = {
  type?: string
  change?: OutboxRow['change']
  facts?: object
  startAt?: string | null
  revision?: number | null
}

/** Writes outbox rows as a ledger function does, each in one transaction of their workspace. */
export const writeOutbox = (
  pool: Pool,
  workspace: string,
  ids: string[],
  {
    type = 'payment',
    change = 'changed',
    facts = {},
    startAt = null,
    revision = null,
  }: Writing = {},
) =>
  transact(pool, workspace, async (tx) => {
    for (const id of ids) {
      await tx.execute(sql`select ledger_private.outbox_write(${workspace}, ${id}, ${type},
        ${JSON.stringify({ workspace, payment: id })}::jsonb, ${startAt}::timestamptz,
        ${JSON.stringify(facts)}::jsonb, ${revision}, ${change})`)
    }
  })

type StoredRow = {
  workflow_id: string
  revision: number
  attempts: number
  last_error: string | null
  change: string
  facts: object
  /** Milliseconds from now. */
  due_in_ms: number
}

/** What the outbox has of this workspace. */
export async function storedRows(owner: Pool, workspace: string): Promise<StoredRow[]> {
  const { rows } = await owner.query<StoredRow>(
    `select workflow_id, revision, attempts, last_error, change, facts,
       extract(epoch from next_attempt_at - clock_timestamp())::float * 1000 as due_in_ms
     from workflow_outbox where workspace = $1 order by workflow_id`,
    [workspace],
  )
  return rows
}

/** A promise and what settles it. */
export function gate<T = void>() {
  let open: (value: T) => void = () => {}
  let fail: (error: unknown) => void = () => {}
  const passed = new Promise<T>((resolve, reject) => {
    open = resolve
    fail = reject
  })
  return { passed, open, fail }
}
