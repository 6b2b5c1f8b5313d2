import { call } from './call.ts'
import type { Pool } from './pool.ts'
import type { SqlRefusal } from './sql-refusal.ts'

/**
 * Calls a function that refuses by raising, so that nothing it wrote stays, not even the request's
 * key. The refusal comes back as a value.
 */
export async function callOrRefusal<T>(
  pool: Pool,
  name: string,
  args: unknown[],
): Promise<T | { refusal: SqlRefusal }> {
  try {
    return await call<T>(pool, name, args)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'VR001') {
      return { refusal: JSON.parse(error.message) as SqlRefusal } // written by `refuse` in SQL
    }
    throw error
  }
}
