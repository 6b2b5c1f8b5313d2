import { watch } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Child, describeExit } from '../children.ts'

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

type Running = Pick<Child, 'name' | 'exited' | 'stop'>

type Rerun = {
  changes: AsyncIterable<string[]>
  /** What must be done before the programs start on these changes. */
  prepare(files: string[]): Promise<void>
  /** Each starts one program, and resolves when it is ready. */
  starts: (() => Promise<Running>)[]
  /** Aborted when the stack stops. */
  closing: AbortSignal
  onProgress(line: string): void
}

/**
 * Stops the programs at each change of the code and starts them again. One that ends by itself, or does
 * not start, is left alone until the next change. Resolves when there are no more.
 */
export async function rerunOnChange(first: Running[], rerun: Rerun): Promise<void> {
  const { changes, prepare, starts, closing, onProgress } = rerun
  const running = new Set<Running>()
  const keep = (program: Running) => {
    running.add(program)
    void program.exited.then((exit) => {
      if (closing.aborted || !running.delete(program)) return
      onProgress(`${program.name} ended by itself (${describeExit(exit)}); it waits for a change`)
    })
  }
  first.forEach(keep)
  for await (const files of changes) {
    onProgress(`${summary(files)} changed`)
    const stopping = [...running]
    running.clear()
    await Promise.all(stopping.map((program) => program.stop()))
    const started = await startAll(() => prepare(files), starts)
    if (closing.aborted) return
    for (const result of started) {
      if (result.status === 'rejected')
        onProgress(`${reasonOf(result.reason)}\nWaiting for a change`)
      else keep(result.value)
    }
    if (running.size === starts.length) onProgress('Running the code as it is now')
  }
}

async function startAll(prepare: () => Promise<void>, starts: Rerun['starts']) {
  const [prepared] = await Promise.allSettled([prepare()])
  if (prepared.status === 'rejected') return [prepared]
  return await Promise.allSettled(starts.map((start) => start()))
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

const summary = ([file = '', ...more]: string[]) =>
  more.length === 0 ? file : `${file} and ${more.length} more`
