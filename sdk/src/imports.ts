import type { CallOptions, RawBody, Sent } from './request.ts'
import { Resource, segment } from './resource.ts'
import type { BatchReversal, Import, Moment, QueryOf } from './types.ts'

/** A movement of an import. Amounts are in points, a debit's negative. */
export type ImportRow = {
  account: string
  amount: number
  reason?: string
  expires_at?: Moment
  /** Tells rows apart that are otherwise the same. */
  key?: string
  metadata?: Record<string, string>
}

type Chunk = ImportRow | Uint8Array | string

/**
 * Rows, or a file as it is: a text, bytes, a Blob, or a stream (a `ReadableStream`, or Node's
 * `createReadStream(…)`).
 */
export type ImportSource =
  | string
  | Uint8Array<ArrayBuffer>
  | Blob
  | ReadableStream<Uint8Array>
  | readonly ImportRow[]
  | AsyncIterable<Chunk>

export type ImportOptions = {
  /** Of a file; rows need none. */
  type?: 'application/x-ndjson' | 'text/csv'
  /** Tags the rows, so that they can be found and reversed together; the import's id where not named. */
  batch?: string
}

const NDJSON = 'application/x-ndjson'
const PATH = '/v1/loyalty/imports'
const UPLOAD_MS = 900_000 // a million rows on a slow line
const CHECK_EVERY_MS = 1_000

type Bulk = { status: string }
export type ProgressOptions = CallOptions & {
  /** How long to wait between looks; 1,000 where nothing is said. */
  everyMs?: number
}

/** Movements by the file, written in the background. */
export class Imports extends Resource {
  /**
   * Sends a file or rows. All lines are checked before anything is written: where one is wrong, this
   * throws with `errors` by line. A stream can be read once, so it is tried once: pass an
   * `idempotencyKey`, and send it again with that after a VinrConnectionError.
   */
  create(
    source: ImportSource,
    { type = NDJSON, batch }: ImportOptions = {},
    options?: CallOptions,
  ): Promise<Import> {
    const sent: Sent = {
      method: 'POST',
      path: PATH,
      query: { batch },
      raw: { type, ...bodyOf(source) },
    }
    return this.send(sent, { timeoutMs: UPLOAD_MS, ...options })
  }
  retrieve(id: string, options?: CallOptions): Promise<Import> {
    return this.get(`${PATH}/${segment(id)}`, undefined, options)
  }
  list(query?: QueryOf<'/v1/loyalty/imports'>, options?: CallOptions) {
    return this.listOf('/v1/loyalty/imports', query, options)
  }
  /** The import as it is now, and again until it is completed or canceled (a paused one is waited for). */
  progress(id: string, options?: ProgressOptions): AsyncGenerator<Import> {
    return untilCompleted(() => this.retrieve(id, options), options)
  }
  /** Rows written stay, the others are dropped. */
  cancel(id: string, options?: CallOptions): Promise<Import> {
    return this.call('POST', `${PATH}/${segment(id)}/cancel`, {}, options)
  }

  pause(id: string, options?: CallOptions): Promise<Import> {
    return this.call('POST', `${PATH}/${segment(id)}/pause`, {}, options)
  }
  resume(id: string, options?: CallOptions): Promise<Import> {
    return this.call('POST', `${PATH}/${segment(id)}/resume`, {}, options)
  }
  /** Reverses all that carries its `batch`, whoever wrote it; see `batchReversals` for its progress. */
  reverse({ batch }: Pick<Import, 'batch'>, options?: CallOptions): Promise<BatchReversal> {
    return this.call('POST', reversalPath(batch), {}, options)
  }
}

const REVERSALS = '/v1/loyalty/batch_reversals'
const reversalPath = (batch: string) => `/v1/loyalty/batches/${segment(batch)}/reverse`

/** Batches on their way back. */
export class BatchReversals extends Resource {
  /** Reverses all that carries this tag, the newest first. */
  create(batch: string, options?: CallOptions): Promise<BatchReversal> {
    return this.call('POST', reversalPath(batch), {}, options)
  }
  retrieve(id: string, options?: CallOptions): Promise<BatchReversal> {
    return this.get(`${REVERSALS}/${segment(id)}`, undefined, options)
  }
  progress(id: string, options?: ProgressOptions): AsyncGenerator<BatchReversal> {
    return untilCompleted(() => this.retrieve(id, options), options)
  }
  pause(id: string, options?: CallOptions): Promise<BatchReversal> {
    return this.call('POST', `${REVERSALS}/${segment(id)}/pause`, {}, options)
  }
  resume(id: string, options?: CallOptions): Promise<BatchReversal> {
    return this.call('POST', `${REVERSALS}/${segment(id)}/resume`, {}, options)
  }
}

async function* untilCompleted<T extends Bulk>(
  read: () => Promise<T>,
  { everyMs = CHECK_EVERY_MS }: ProgressOptions = {},
): AsyncGenerator<T> {
  for (;;) {
    const state = await read()
    yield state
    if (state.status === 'completed' || state.status === 'canceled') return
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}

function bodyOf(source: ImportSource): Omit<RawBody, 'type'> {
  if (typeof source === 'string' || source instanceof Uint8Array || source instanceof Blob) {
    return { body: source, once: false }
  }
  if (source instanceof ReadableStream) return { body: source, once: true }
  if (Array.isArray(source)) return { body: source.map(lineOf).join(''), once: false }
  return { body: streamOf((source as AsyncIterable<Chunk>)[Symbol.asyncIterator]()), once: true }
}

/** Reads ahead by nothing: a file is never in memory as a whole. */
function streamOf(chunks: AsyncIterator<Chunk>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream({
    async pull(controller) {
      const next = await chunks.next()
      if (next.done) return controller.close()
      const chunk = next.value
      if (chunk instanceof Uint8Array) return controller.enqueue(chunk)
      return controller.enqueue(encoder.encode(typeof chunk === 'string' ? chunk : lineOf(chunk)))
    },
    async cancel() {
      await chunks.return?.()
    },
  })
}

const lineOf = (row: ImportRow) => `${JSON.stringify(row)}\n`
