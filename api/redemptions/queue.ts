type Line = { running: number; readonly waiting: (() => void)[] }

/**
 * Lets so many run at once for each key, the others in the order they came. A
 * task is told whether it had to wait: what it knew before may be old by then.
 */
export function queueOf(most: number) {
  const lines = new Map<string, Line>()

  return async <T>(key: string, task: (waited: boolean) => Promise<T>): Promise<T> => {
    const line = lines.get(key) ?? { running: 0, waiting: [] }
    lines.set(key, line)
    const waits = line.running >= most
    if (waits) await new Promise<void>((resolve) => line.waiting.push(resolve))
    else line.running++
    try {
      return await task(waits)
    } finally {
      const next = line.waiting.shift()
      if (next !== undefined)
        next() // it takes over this one's place
      else if (--line.running === 0) lines.delete(key)
    }
  }
}
