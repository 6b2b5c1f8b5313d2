import type { Client } from '@temporalio/client'
import { expect } from 'vitest'
import type { Processes } from '../support/processes.ts'

/** Redemptions that wait, and outbox rows; both as the database has them now. */
export const waitingIn = async (all: Processes): Promise<string[]> =>
  (await all.redemptions())
    .filter(({ status }) => status === 'pending' || status === 'fulfillment_pending')
    .map(({ id }) => id)

export const outboxOf = async (all: Processes): Promise<string[]> =>
  (await all.owner.query('select workflow_id as id from workflow_outbox order by 1')).rows.map(
    ({ id }) => id,
  )

/** The status of a run, `NONE` where there is none. */
export const runOf = (client: Client, id: string): Promise<string> =>
  client.workflow
    .getHandle(id)
    .describe()
    .then(
      ({ status }) => status.name,
      () => 'NONE',
    )

/** Nothing is left to be sent, and whatever waits has its run. */
export async function everyWaitingRowHasItsRun(all: Processes, client: Client): Promise<void> {
  await expect.poll(() => outboxOf(all), { timeout: 60_000 }).toEqual([])
  const waiting = await waitingIn(all)
  const runs = await Promise.all(waiting.map((id) => runOf(client, id)))
  expect(runs).toEqual(waiting.map(() => 'RUNNING'))
}
