import type { Pool } from '../db/pool.ts'
import type { EngineOptions } from '../temporal/connect.ts'
import type { Engine } from '../temporal/engine.ts'

/** Runs `task` as the command line, with a pool of one connection, named after the command in `pg_stat_activity`, and closes it. */
export async function withPool<Result>(
  command: string,
  url: string,
  task: (pool: Pool) => Promise<Result>,
): Promise<Result> {
  const { actingAs } = await import('../db/acting.ts')
  const { createPool } = await import('../db/pool.ts')
  const pool = createPool({ url, max: 1, applicationName: `vinr-${command}` })
  try {
    return await actingAs({ type: 'system', id: 'cli', name: null }, () => task(pool))
  } finally {
    await pool.end()
  }
}

/** Where Temporal is, by the variables of the worker. Throws naming each that is wrong. */
export async function temporalOf(env: NodeJS.ProcessEnv): Promise<EngineOptions> {
  const { readConnection } = await import('../temporal/settings.ts')
  const wrong: string[] = []
  const connection = readConnection(env, (variable, message) => {
    wrong.push(`${variable}: ${message}`)
  })
  if (wrong.length > 0) throw new Error(wrong.join('\n'))
  return { ...connection, taskQueue: env.TEMPORAL_TASK_QUEUE || 'engagement' }
}

/** Runs `task` with a connection to Temporal, and closes it. */
export async function withEngine<Result>(
  options: EngineOptions,
  task: (engine: Engine) => Promise<Result>,
): Promise<Result> {
  const { connectEngine } = await import('../temporal/connect.ts')
  const engine = await connectEngine(options)
  try {
    return await task(engine)
  } finally {
    await engine.close()
  }
}
