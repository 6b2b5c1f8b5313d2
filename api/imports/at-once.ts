import { refuse } from '../../domain/refusal.ts'

// Each is a file, a hundred megabytes and a core's time: a fifth one waits until its sender comes again.
const MOST_AT_ONCE = 4

const reading = new Map<string, number>()

/** Reads an import's file; refuses with too_many_requests where the workspace sends so many at once to this process. */
export async function oneOfFew<T>(workspace: string, read: () => Promise<T>): Promise<T> {
  const others = reading.get(workspace) ?? 0
  if (others >= MOST_AT_ONCE) {
    refuse(
      'too_many_requests',
      `Only ${MOST_AT_ONCE} imports at once; send it when one is through.`,
    )
  }
  reading.set(workspace, others + 1)
  try {
    return await read()
  } finally {
    const left = (reading.get(workspace) ?? 1) - 1
    if (left === 0) reading.delete(workspace)
    else reading.set(workspace, left)
  }
}
