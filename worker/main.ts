import { DefaultLogger, Runtime } from '@temporalio/worker'
import { Counter, collectDefaultMetrics, register } from 'prom-client'
import { failuresTo } from '../app/failures.ts'
import { readConfig } from '../config.ts'
import { createPool } from '../db/pool.ts'
import { createLog } from '../process/log.ts'
import { outboxMetrics } from '../process/metrics.ts'
import { sendAfterCommits } from '../temporal/after-commit.ts'
import { connectEngine, registerSearchAttributes } from '../temporal/connect.ts'
import { scheduleLedger, scheduleReconciler } from '../temporal/schedules.ts'
import { workflowBundle } from './bundle.ts'
import { serveHealth } from './health.ts'
import { createWorker } from './worker.ts'

const SENDS = 4 // calls to Temporal at once: its workflow tasks come first

/** The worker process: `npm run start:worker`, everything from the environment. */
async function main(): Promise<void> {
  const config = readConfig()
  const log = createLog({ level: config.logLevel, name: 'worker' })
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) =>
      log[level === 'ERROR' ? 'error' : 'warn'](meta ?? {}, message),
    ),
  })
  const bundle = config.workflowBundle ? { codePath: config.workflowBundle } : workflowBundle()
  const engine = await connectEngine(config.temporal)
  await registerSearchAttributes(engine.connection, config.temporal.namespace)
  const pool = createPool({
    url: config.databaseUrl,
    max: config.databasePool,
    applicationName: 'vinr-worker',
    onError: (error) => log.warn({ err: error }, 'a database connection broke'),
  })
  collectDefaultMetrics()
  const onFailure = failuresTo(register, log)
  outboxMetrics(register, pool, log)
  const sender = sendAfterCommits({ pool, engine, onFailure, atOnce: SENDS, sweeps: true })
  const reconciled = new Counter({
    name: 'vinr_net_found_total',
    help: 'What the reconciler found past its time and did; zero in a healthy system.',
    labelNames: ['kind'],
  })
  const worker = await createWorker({
    connection: engine.connection,
    namespace: config.temporal.namespace,
    dependencies: {
      pool,
      engine,
      allowedAddresses: config.webhookAllowedAddresses,
      onFailure,
      requestLogDays: config.requestLogDays,
      inboxPayloadDays: config.inboxPayloadDays,
    },
    workflowBundle: await bundle,
    reconciled: (kind, count) => reconciled.inc({ kind }, count),
  })
  await scheduleReconciler(engine)
  await scheduleLedger(engine)
  const health = await serveHealth(config, () => worker.getState() === 'RUNNING', log)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => worker.shutdown())
  log.info('worker ready')
  await worker.run()
  health.close()
  await sender.close()
  await engine.close()
  await pool.end()
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.stack : error)
  process.exit(1)
})
