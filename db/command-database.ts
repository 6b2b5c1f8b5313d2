import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What `npm start` leaves in its data directory for the commands of the same folder. */
export type StackDatabase = {
  /** The application role's URL. */
  DATABASE_URL: string
  /** The owner role's. */
  MIGRATION_DATABASE_URL: string
  /** The demo shop's. */
  workspace: string
}

/** Beside stack.json, and there as long as it is: whoever reads it may do everything. */
export const STACK_DATABASE = 'database.json'

/**
 * Where a command finds its database: the environment's variable `role`, else the stack that runs on
 * `DATA_DIR`. Only the latter brings a `workspace`. Throws where there is neither.
 */
export function commandDatabase(
  role: 'DATABASE_URL' | 'MIGRATION_DATABASE_URL',
  env: NodeJS.ProcessEnv = process.env,
): { url: string; workspace: string | undefined } {
  const url = env[role]
  if (url) return { url, workspace: undefined }
  const file = join(env.DATA_DIR || '.data', STACK_DATABASE)
  const stack = readStack(file)
  if (stack === undefined) {
    throw new Error(`${role} is not set, and there is no ${file}: npm start writes it.`)
  }
  return { url: stack[role], workspace: stack.workspace }
}

function readStack(file: string): StackDatabase | undefined {
  try {
    const found: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return isStackDatabase(found) ? found : undefined
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new Error(`${file} cannot be read`, { cause: error })
  }
}

function isStackDatabase(value: unknown): value is StackDatabase {
  if (typeof value !== 'object' || value === null) return false
  const names = ['DATABASE_URL', 'MIGRATION_DATABASE_URL', 'workspace']
  return names.every((name) => typeof Reflect.get(value, name) === 'string')
}
