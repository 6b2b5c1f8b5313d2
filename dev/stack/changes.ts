import { watch } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const FILES = ['config.ts']
const FOLDERS = [
  'domain',
  'db',
  'app',
  'temporal',
  'activities',
  'workflows',
  'process',
  'worker',
  'api',
]
const SETTLE_MS = 200 // an editor, or git, writes several files one after the other

/**
 * The files of the API's and the worker's code in `root` that changed, tests apart: those that change
 * together are one item, and so are all that change while nobody asks. Ends when `closing` is aborted.
 */
export async function* changesOfCode(root: string, closing: AbortSignal): AsyncGenerator<string[]> {
  const changed = new Set<string>()
  let wake = () => {}
  const note = (file: string) => {
    if (!/\.(ts|sql|json)$/.test(file) || file.endsWith('.test.ts')) return
    changed.add(file)
    wake()
  }
  const watchers = FOLDERS.map((folder) =>
    watch(join(root, folder), { recursive: true }, (_event, file) => {
      if (file !== null) note(join(folder, file))
    }),
  )
  // an editor may put another file in the place of one, which a watch on the file would lose
  watchers.push(
    watch(root, (_event, file) => {
      if (file !== null && FILES.includes(file)) note(file)
    }),
  )
  const close = () => {
    for (const watcher of watchers) watcher.close()
    wake()
  }
  closing.addEventListener('abort', close, { once: true })
  while (!closing.aborted) {
    if (changed.size === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    await delay(SETTLE_MS, undefined, { signal: closing }).catch(() => {}) // closing ends the wait
    if (closing.aborted) return
    const files = [...changed]
    changed.clear()
    yield files
  }
}
