import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Logger } from 'pino'
import { refuse } from '../../domain/refusal.ts'
import type { Job, JobResult } from './check-thread.ts'
import { Turns } from './turns.ts'

const CHECK_MS = 1_000 // a check takes some hundredths of one; on a busy machine a thread waits for its turn
const COMPILE_MS = 5_000 // the largest schema takes a core one second
const SLOW_MS = 500
const MOST_WAITING = 500 // of a workspace
const MOST_THREADS = 4
const TRIES = 2

/** One version of an event type's schema, by a name that is never given to another. */
type Version = { readonly workspace: string; readonly key: string; readonly schema: string }

type QueueEntry = {
  readonly workspace: string
  readonly job: (known: ReadonlySet<string>) => Job
  readonly limitMs: number
  readonly resolve: (done: JobResult) => void
  readonly reject: (error: unknown) => void
  tries: number
}

/**
 * Where merchants' schemas run: in two threads or more, started when they are first needed, each ended
 * and replaced where it takes too long. None of them stops anybody else.
 */
export class Checks {
  readonly #log: Logger
  readonly #most: number
  readonly #threads = new Map<Thread, Set<string>>() // with the versions that each has
  readonly #idle: Thread[] = []
  readonly #turns = new Turns<QueueEntry>()
  #closed = false

  constructor(log: Logger, threads = Math.min(availableParallelism(), MOST_THREADS)) {
    this.#log = log
    this.#most = Math.max(threads, 2) // one for the slow, one for the others
  }

  /** Has the first thread ready before anybody waits for it. */
  async start(): Promise<void> {
    await this.trySchema('', {})
  }

  /** Whether the payload is what the version takes. */
  check({ workspace, key, schema }: Version, payload: unknown): Promise<JobResult> {
    const text = JSON.stringify(payload)
    return this.#queue(workspace, CHECK_MS, (known) => ({
      key,
      payload: text,
      ...(!known.has(key) && { schema }),
    }))
  }

  /** Whether an event type may have this schema. */
  trySchema(workspace: string, schema: object): Promise<JobResult> {
    const text = JSON.stringify(schema)
    return this.#queue(workspace, COMPILE_MS, () => ({ schema: text }))
  }

  /** Ends the threads; what they were doing is rejected. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#threads.keys()].map((thread) => thread.close()))
  }

  #queue(workspace: string, limitMs: number, job: QueueEntry['job']): Promise<JobResult> {
    if (this.#closed) throw new Error('no schema runs any more: the process is going down')
    if (this.#turns.waiting(workspace) >= MOST_WAITING) {
      refuse('too_many_requests', 'Too many payloads of this workspace wait to be checked.')
    }
    return new Promise((resolve, reject) => {
      this.#turns.push(workspace, { workspace, job, limitMs, resolve, reject, tries: 0 })
      this.#pump()
    })
  }

  #pump(): void {
    while (!this.#closed && (this.#idle.length > 0 || this.#threads.size < this.#most)) {
      const turn = this.#turns.next()
      if (turn === undefined) return
      void this.#serve(turn.item, this.#idle.pop() ?? this.#start(), turn.end)
    }
  }

  #start(): Thread {
    const thread = startThread()
    this.#threads.set(thread, new Set())
    return thread
  }

  async #serve(waiting: QueueEntry, thread: Thread, end: () => void): Promise<void> {
    try {
      waiting.resolve(await this.#run(waiting, thread))
    } catch (error) {
      this.#failed(waiting, error)
    } finally {
      end()
      if (thread.ended) this.#threads.delete(thread)
      else this.#idle.push(thread)
      this.#pump()
    }
  }

  async #run({ workspace, job, limitMs }: QueueEntry, thread: Thread): Promise<JobResult> {
    const known = this.#threads.get(thread) ?? new Set<string>()
    await thread.ready
    const started = performance.now()
    const first = job(known)
    let done = await thread.run(first, limitMs)
    if (done.outcome === 'schema_wanted' && 'key' in first) {
      known.delete(first.key) // the thread made room for others
      done = await thread.run(job(known), limitMs)
    }
    if (performance.now() - started > SLOW_MS) this.#turns.slow(workspace)
    if ('key' in first) {
      known.add(first.key)
      for (const problem of done.problems ?? []) {
        this.#log.warn({ eventType: first.key, problem }, 'a stored schema that no new one may be')
      }
    }
    return done
  }

  /** A busy machine, or the memory of others, may have ended the thread: once more, among the slow. */
  #failed(waiting: QueueEntry, error: unknown): void {
    const { workspace } = waiting
    waiting.tries++
    if (this.#closed || !(error instanceof Stopped)) {
      waiting.reject(error)
      return
    }
    this.#turns.slow(workspace)
    this.#log.warn({ err: error, workspace, tries: waiting.tries }, 'a schema was stopped')
    if (waiting.tries < TRIES) this.#turns.pushFirst(workspace, waiting)
    else waiting.resolve({ outcome: 'unusable', reason: error.message })
  }
}

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
