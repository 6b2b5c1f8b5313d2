import { connectEngine, type EngineOptions } from '../temporal/connect.ts'
import { readConnection } from '../temporal/settings.ts'

/** Where Temporal is, by the variables of the worker. Throws naming each that is wrong. */
export function temporalOf(env: NodeJS.ProcessEnv): EngineOptions {
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
  task: (engine: Awaited<ReturnType<typeof connectEngine>>) => Promise<Result>,
): Promise<Result> {
  const engine = await connectEngine(options)
  try {
    return await task(engine)
  } finally {
    await engine.close()
  }
}
