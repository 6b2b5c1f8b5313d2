import { type ActivityInterceptorsFactory, type NativeConnection, Worker } from '@temporalio/worker'
import { workerActivities } from '../activities/index.ts'
import { actingAs } from '../app/acting.ts'
import type { Dependencies } from '../app/dependencies.ts'
import type { ReconcilerFindings } from '../app/reconciler.ts'
import { addressGuard, createSend } from '../app/webhooks/send.ts'

/** The workflows as code, or the file that `worker/bundle-main.ts` wrote. */
type WorkflowBundle = { code: string } | { codePath: string }

type WorkerOptions = {
  connection: NativeConnection
  namespace: string
  dependencies: Dependencies
  workflowBundle: WorkflowBundle
  /** Counts what the reconciler found past its time. */
  reconciled?: (kind: keyof ReconcilerFindings, count: number) => void
}

/** A worker of the product: all workflows and activities on one task queue. */
export async function createWorker(options: WorkerOptions): Promise<Worker> {
  const { connection, namespace, dependencies, workflowBundle, reconciled = () => {} } = options
  const send = createSend(addressGuard(dependencies.allowedAddresses ?? []))
  return Worker.create({
    connection,
    namespace,
    taskQueue: dependencies.engine.taskQueue,
    workflowBundle,
    activities: workerActivities({ ...dependencies, send, reconciled }),
    interceptors: { activity: [byItsWorkflow] },
    shutdownGraceTime: '10s',
    // Each endpoint at work holds one, and mostly waits for somebody else's server.
    maxConcurrentActivityTaskExecutions: 1_000,
    maxConcurrentLocalActivityExecutions: 32,
  })
}

/** What an activity writes, the workflow that it is of did. */
const byItsWorkflow: ActivityInterceptorsFactory = ({ info: { workflowExecution: run } }) => ({
  inbound: {
    execute: (input, next) =>
      run === undefined
        ? next(input)
        : actingAs({ type: 'workflow', id: run.workflowId, name: null }, () => next(input)),
  },
})
