import { Worker } from 'node:worker_threads'
import type { Job, JobResult } from './check-thread.ts'

const ENTRY = new URL('./check-thread.mjs', import.meta.url)
const MEMORY = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 }
const START_MS = 30_000 // loading takes some tenths of a second; a busy machine's take longer

/** The job took more time, or more memory, than it may. */
export class Stopped extends Error {}

export type Thread = {
  /** Rejects where the thread cannot start. */
  readonly ready: Promise<unknown>
  /** One job at a time. The limit counts from when the thread has it; beyond it the thread ends, and this rejects with Stopped. */
  run(job: Job, limitMs: number): Promise<JobResult>
  readonly ended: boolean
  close(): Promise<void>
}

/** A thread of its own for merchants' schemas; it keeps no process alive but while a job runs. */
export function startThread(): Thread {
  const worker = new Worker(ENTRY, { execArgv: [], resourceLimits: MEMORY })
  worker.unref()
  let ended: Error | undefined
  let waiting: { resolve: (done: JobResult) => void; reject: (error: Error) => void } | undefined

  const end = (error: Error) => {
    ended ??= error
    waiting?.reject(ended)
    waiting = undefined
  }
  worker.on('message', (done: JobResult) => {
    waiting?.resolve(done)
    waiting = undefined
  })
  worker.on('error', (error) => end(reasonOf(error)))
  worker.on('exit', () => end(new Error('a thread that checks payloads ended')))

  const answer = (limitMs: number) =>
    new Promise<JobResult>((resolve, reject) => {
      const limit = setTimeout(() => {
        end(new Stopped(`it took longer than ${limitMs} ms`))
        void worker.terminate()
      }, limitMs)
      waiting = {
        resolve: (done) => {
          clearTimeout(limit)
          resolve(done)
        },
        reject: (error) => {
          clearTimeout(limit)
          reject(error)
        },
      }
    })
  const ready = answer(START_MS)
  ready.catch(() => {}) // told to the first job, which waits for it

  return {
    ready,
    async run(job, limitMs) {
      if (ended !== undefined) throw ended
      worker.ref()
      try {
        const done = answer(limitMs)
        worker.postMessage(job, [])
        return await done
      } finally {
        worker.unref()
      }
    },
    get ended() {
      return ended !== undefined
    },
    close: async () => {
      end(new Error('the process is going down'))
      await worker.terminate()
    },
  }
}

const reasonOf = (error: unknown) =>
  error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
    ? new Stopped(`it took more than ${MEMORY.maxOldGenerationSizeMb} MB`, { cause: error })
    : new Error('a thread that checks payloads broke', { cause: error })
