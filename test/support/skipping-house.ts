import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import proto from '@temporalio/proto'
import { TestWorkflowEnvironment } from '@temporalio/testing'
import type { NativeConnection } from '@temporalio/worker'
import { inject } from 'vitest'
import { createCommands } from '../../app/index.ts'
import type { Pool } from '../../db/pool.ts'
import { seedWorkspace } from '../../dev/demo.ts'
import { newId } from '../../domain/ids.ts'
import { sendAfterCommits } from '../../temporal/after-commit.ts'
import { SEARCH_ATTRIBUTES } from '../../temporal/names.ts'
import { createWorker } from '../../worker/worker.ts'
import { testDatabase } from './database.ts'
import type { House } from './house.ts'
import { timeSkippingServer } from './time-skipping.ts'

const KEYWORD = proto.temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
const TASK_QUEUE = 'engagement'

export type SkippingHouse = { house: House; env: TestWorkflowEnvironment; taskQueue: string }

/**
 * The SDK gives the server that it starts five seconds, which a JVM on a busy machine does not make. So it
 * is started here, and what the SDK starts only stands for it.
 */
async function startSkipping(
  path: string,
): Promise<{ env: TestWorkflowEnvironment; stop(): void }> {
  const port = await freePort()
  const server = spawn(path, [`${port}`], { stdio: 'ignore' })
  const stop = () => void server.kill()
  try {
    await listening(port, server)
    const executable = { type: 'existing-path', path: await standIn() } as const
    return {
      env: await TestWorkflowEnvironment.createTimeSkipping({ server: { executable, port } }),
      stop,
    }
  } catch (error) {
    stop()
    throw error
  }
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  listener.close()
  await once(listener, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function listening(port: number, server: ChildProcess): Promise<void> {
  for (;;) {
    if (server.exitCode !== null) throw new Error(`the server ended with ${server.exitCode}`)
    const socket = connect(port, '127.0.0.1')
    const isUp = await once(socket, 'connect').then(
      () => true,
      () => false, // not yet
    )
    socket.destroy()
    if (isUp) return
    await setTimeout(100)
  }
}

/** A program that does nothing for as long as it is let. */
async function standIn(): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'vinr-')), 'stand-in')
  await writeFile(path, '#!/bin/sh\nexec sleep 86400\n', { mode: 0o755 })
  return path
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
  const [database, { env, stop }] = await Promise.all([testDatabase(), startSkipping(path)])
  const connection: NativeConnection = env.nativeConnection
  // it lists no attributes, so that the product's own registration cannot ask what is missing
  await env.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(SEARCH_ATTRIBUTES.map(({ name }) => [name, KEYWORD])),
  })
  const engine = { client: env.client, taskQueue: TASK_QUEUE }
  // the time that is skipped is not the database's
  database.pool.on('connect', (client) => void client.query(`set vinr.test_clock = 'on'`))
  const workspace = newId('ws')
  const keys = await seedWorkspace(database.pool, workspace, 'Test shop')
  const bundlePath = inject('bundlePath')
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
    commands: createCommands({ pool: database.pool, engine }),
    close: async () => {
      worker.shutdown()
      await running
      await sender.close()
      await env.teardown()
      stop()
      await database.drop()
    },
  } as unknown as House
  return { house, env, taskQueue: TASK_QUEUE }
}
