import { setTimeout as delay } from 'node:timers/promises'
import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client'
import { z } from 'zod'

const List = z.looseObject({
  executions: z
    .array(
      z.looseObject({
        status: z.string(),
        execution: z.looseObject({ workflowId: z.string() }),
        type: z.looseObject({ name: z.string() }),
      }),
    )
    .default([]),
})

export type Operator = Awaited<ReturnType<typeof openOperator>>

const SHOWN_WITHIN_MS = 10_000 // runs are started, and lists follow, a moment after the answer
const CHECK_EVERY_MS = 100

/** What an operator does: finds runs in the Temporal UI, waits for one to end, cancels one there. */
export async function openOperator(uiUrl: string, address: string, namespace: string) {
  const connection = await Connection.connect({ address })
  const { workflow } = new Client({ connection, namespace })
  const base = `${uiUrl}/api/v1/namespaces/${namespace}/workflows`

  const list = async (query: string) => {
    const response = await fetch(`${base}?query=${encodeURIComponent(query)}`)
    if (!response.ok)
      throw new Error(`The UI answered ${response.status}: ${await response.text()}`)
    return List.parse(await response.json()).executions
  }

  /** The run with this id, which is started in the background after the request that asks for it. */
  const started = async (id: string) => {
    const run = workflow.getHandle(id)
    const until = performance.now() + SHOWN_WITHIN_MS
    for (;;) {
      try {
        await run.describe()
        return run
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError) || performance.now() > until) throw error
        await delay(CHECK_EVERY_MS)
      }
    }
  }

  return {
    /** The ids of the runs that the UI's list filter finds, once there are as many as expected. */
    find: async (query: string, expected: number): Promise<string[]> => {
      const until = performance.now() + SHOWN_WITHIN_MS
      for (;;) {
        const ids = (await list(query)).map(({ execution }) => execution.workflowId)
        if (ids.length >= expected || performance.now() > until) return ids
        await delay(CHECK_EVERY_MS)
      }
    },
    /** The result of the run with this id, once it has ended. */
    ended: async (id: string): Promise<unknown> => (await started(id)).result(),
    /** As the button does it: with the token of the page against forged requests. */
    cancel: async (id: string): Promise<void> => {
      await started(id)
      const page = await fetch(`${uiUrl}/api/v1/settings`)
      const token = /_csrf=([^;]+)/.exec(page.headers.get('set-cookie') ?? '')?.[1] ?? ''
      const response = await fetch(`${base}/${id}/cancel`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          cookie: `_csrf=${token}`,
          'x-csrf-token': token,
        },
        body: '{}',
      })
      if (!response.ok)
        throw new Error(`Cancel answered ${response.status}: ${await response.text()}`)
    },
    close: () => connection.close(),
  }
}
