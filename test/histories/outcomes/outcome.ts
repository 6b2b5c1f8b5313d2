import { newId } from '../../../domain/ids.ts'
import type { House } from '../../support/house.ts'

/** Runs of one noun by how they end; each is brought there, and the id of its run returned. */
export type Outcomes = Record<string, (house: House) => Promise<string>>

/** An operation id that nobody used. */
export const operation = () => ({ operation: newId('op'), fingerprint: 'test' })

/** So many milliseconds from now, ISO 8601. */
export const inMs = (ms: number) => new Date(Date.now() + ms).toISOString()

/** Starts, after a delay, a run that needs no input, as its schedule does. */
export async function begin(house: House, type: string, startDelay = 0): Promise<string> {
  const workflowId = newId('run')
  await house.engine.client.workflow.start(type, {
    workflowId,
    taskQueue: house.engine.taskQueue,
    args: [],
    startDelay,
  })
  return workflowId
}

/** A new member of the default program. */
export async function member(house: House): Promise<string> {
  const account = newId('loy')
  await house.owner.query(
    `insert into account (workspace, id, program) values ($1, $2, 'prog_default')`,
    [house.workspace, account],
  )
  return account
}

/** A movement as `postTransaction` takes it; a credit's points go at `expiresAt`. */
export const movement = (
  { workspace }: House,
  account: string,
  amount: number,
  expiresAt: string | null = null,
) => ({
  ...operation(),
  workspace,
  account,
  type: 'adjust' as const,
  amount,
  reason: 'test',
  at: inMs(0),
  expiresAt,
  batch: null,
  source: null,
  metadata: {},
  allowNegative: false,
})
