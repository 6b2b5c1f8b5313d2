import { readFile } from 'node:fs/promises'
import proto from '@temporalio/proto'
import { TestWorkflowEnvironment } from '@temporalio/testing'
import type { NativeConnection } from '@temporalio/worker'
import { inject } from 'vitest'
import { requestActivities } from '../../activities/index.ts'
import type { Pool } from '../../db/pool.ts'
import { seedWorkspace } from '../../dev/demo.ts'
import { newId } from '../../domain/ids.ts'
import { sendAfterCommits } from '../../temporal/after-commit.ts'
import { createWorker } from '../../worker/worker.ts'
import { SEARCH_ATTRIBUTES } from '../../workflows/search-attributes.ts'
import { testDatabase } from './database.ts'
import type { House } from './house.ts'
import { timeSkippingServer } from './time-skipping.ts'

const KEYWORD = proto.temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
const TASK_QUEUE = 'engagement'

export type SkippingHouse = { house: House; env: TestWorkflowEnvironment; taskQueue: string }

const STARTS = 5

/** The SDK gives the server five seconds to start, which a JVM on a busy machine does not always make. */
async function startSkipping(path: string): Promise<TestWorkflowEnvironment> {
  const server = { executable: { type: 'existing-path', path } } as const
  for (let start = 1; ; start++) {
    try {
      return await TestWorkflowEnvironment.createTimeSkipping({ server })
    } catch (error) {
      if (start === STARTS) throw error
    }
  }
}

/**
 * The product without its API on a server whose time can be skipped. That honours startDelay; it does
 * not wake a delayed run for signalWithStart, and has no schedules. What wakes is tested on the real
 * server.
 */
export async function openSkippingHouse({
  workerPool = (pool) => pool,
}: {
  /** The database as the worker reaches it. */
  workerPool?: (pool: Pool, env: TestWorkflowEnvironment) => Pool
} = {}): Promise<SkippingHouse> {
  const path = await timeSkippingServer({ onProgress: console.log })
  const [database, env] = await Promise.all([testDatabase(), startSkipping(path)])
  const connection: NativeConnection = env.nativeConnection
  // it lists no attributes, so that the product's own registration cannot ask what is missing
  await env.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(SEARCH_ATTRIBUTES.map(({ name }) => [name, KEYWORD])),
  })
  const engine = { client: env.client, taskQueue: TASK_QUEUE }
  const workspace = newId('ws')
  const keys = await seedWorkspace(database.pool, workspace, 'Test shop')
  const { bundlePath } = inject('servers')
  const worker = await createWorker({
    connection,
    namespace: 'default',
    dependencies: { pool: workerPool(database.pool, env), engine },
    workflowBundle: { code: await readFile(bundlePath, 'utf8') },
  })
  const sender = sendAfterCommits({
    pool: database.pool,
    engine,
    onFailure: ({ error }) => console.error(error),
  })
  const running = worker.run()
  const house = {
    ...database,
    engine,
    workspace,
    keys,
    activities: requestActivities({ pool: database.pool, engine }),
    close: async () => {
      worker.shutdown()
      await running
      await sender.close()
      await env.teardown()
      await database.drop()
    },
  } as unknown as House
  return { house, env, taskQueue: TASK_QUEUE }
}
