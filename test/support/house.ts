import { readFile } from 'node:fs/promises'
import type { Worker } from '@temporalio/worker'
import { inject } from 'vitest'
import { type Commands, createCommands } from '../../app/index.ts'
import { seedWorkspace } from '../../dev/demo.ts'
import type { Failure } from '../../domain/failure.ts'
import { newId } from '../../domain/ids.ts'
import { sendAfterCommits } from '../../temporal/after-commit.ts'
import { connectEngine } from '../../temporal/connect.ts'
import type { ConnectionSettings } from '../../temporal/settings.ts'
import { createWorker } from '../../worker/worker.ts'
import { type TestDatabase, testDatabase } from './database.ts'
import { quietEngine } from './runtime.ts'

/** The product without its API: database, engine, worker, and one workspace with the documents' data. */
export type House = TestDatabase & {
  engine: Awaited<ReturnType<typeof connectEngine>>
  commands: Commands
  workspace: string
  keys: Awaited<ReturnType<typeof seedWorkspace>>
  /** What the reconciler found, by kind. */
  reconciled: Record<string, number>
  /** What worker and activities reported as failed. */
  failures: Failure[]
  startWorker(): Promise<{ stop(): Promise<void> }>
  close(): Promise<void>
}

export type HouseOptions = {
  worker?: boolean
  /** How Temporal is reached, where not at its own address without TLS. */
  connection?: Partial<ConnectionSettings>
}

quietEngine()

// Receivers of webhooks are servers of the test itself.
export const LOCAL = ['127.0.0.1']

let made = 0

/** A database, task queue and workspace of its own; nothing is shared with another suite but the servers. */
export async function openHouse({
  worker = true,
  connection = {},
}: HouseOptions = {}): Promise<House> {
  const [temporalAddress, bundlePath] = [inject('temporalAddress'), inject('bundlePath')]
  const taskQueue = `test-${process.pid}-${Date.now().toString(36)}-${++made}`
  const [database, engine] = await Promise.all([
    testDatabase(),
    connectEngine({ address: temporalAddress, namespace: 'default', ...connection, taskQueue }),
  ])
  const workspace = newId('ws')
  const keys = await seedWorkspace(database.pool, workspace, 'Test shop')
  const reconciled: Record<string, number> = {}
  const failures: Failure[] = []
  const onFailure = (failure: Failure) => void failures.push(failure)
  const sender = sendAfterCommits({ pool: database.pool, engine, onFailure, sweeps: worker })
  const running = new Set<{ stop(): Promise<void> }>()

  const startWorker = async () => {
    const one = await createWorker({
      connection: engine.connection,
      namespace: 'default',
      dependencies: { pool: database.pool, engine, allowedAddresses: LOCAL, onFailure },
      workflowBundle: { code: await readFile(bundlePath, 'utf8') },
      reconciled: (kind, count) => {
        reconciled[kind] = (reconciled[kind] ?? 0) + count
      },
    })
    const handle = { stop: stopperOf(one, () => running.delete(handle)) }
    running.add(handle)
    return handle
  }
  if (worker) await startWorker()
  return {
    ...database,
    engine,
    commands: createCommands({
      pool: database.pool,
      engine,
      allowedAddresses: LOCAL,
      onFailure,
    }),
    workspace,
    keys,
    reconciled,
    failures,
    startWorker,
    close: async () => {
      await Promise.all([...running].map((handle) => handle.stop()))
      await sender.close()
      await engine.close()
      await database.drop()
    },
  }
}

function stopperOf(worker: Worker, onStopped: () => void): () => Promise<void> {
  const run = worker.run()
  return async () => {
    if (worker.getState() === 'RUNNING') worker.shutdown()
    await run
    onStopped()
  }
}
