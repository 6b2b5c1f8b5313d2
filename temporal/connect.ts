import { Client } from '@temporalio/client'
import proto from '@temporalio/proto'
import { NativeConnection } from '@temporalio/worker'
import { NoAnswer } from './breaker.ts'
import type { Engine } from './engine.ts'
import { SEARCH_ATTRIBUTES } from './names.ts'
import type { ConnectionSettings } from './settings.ts'

export type EngineOptions = ConnectionSettings & { taskQueue: string }

const RETRY_MS = 1_000

/**
 * Temporal, connected to in the background, however long it takes to come up. Until then each call fails as
 * unavailable. `onAway` is called for every try that failed.
 */
export function connectInBackground(
  options: EngineOptions,
  onAway: (error: unknown) => void,
): Engine & { close(): Promise<void> } {
  let connected: Awaited<ReturnType<typeof connectEngine>> | undefined
  let last: unknown
  let timer: NodeJS.Timeout | undefined
  let isClosed = false

  const connect = async (): Promise<void> => {
    try {
      connected = await connectEngine(options)
    } catch (error) {
      last = error
      onAway(error)
      if (!isClosed) timer = setTimeout(() => void connect(), RETRY_MS)
    }
    if (isClosed) await connected?.close()
  }
  void connect()
  return {
    taskQueue: options.taskQueue,
    get client() {
      if (connected === undefined) throw NoAnswer.disconnected(last)
      return connected.client
    },
    async close() {
      isClosed = true
      clearTimeout(timer)
      await connected?.close()
    },
  }
}

/** Connects to Temporal. The native connection costs a sixth less CPU a call than the JavaScript one. */
export async function connectEngine({
  namespace,
  taskQueue,
  ...settings
}: EngineOptions): Promise<Engine & { close(): Promise<void>; connection: NativeConnection }> {
  const connection = await NativeConnection.connect(settings)
  const client = new Client({ connection, namespace })
  return { client, connection, taskQueue, close: () => connection.close() }
}

/** Registers the search attributes that the namespace lacks. Safe to repeat. */
export async function registerSearchAttributes(
  connection: NativeConnection,
  namespace: string,
): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace })
  const missing = SEARCH_ATTRIBUTES.filter(({ name }) => !(name in (customAttributes ?? {})))
  if (missing.length === 0) return
  const keyword = proto.temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
  await connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map(({ name }) => [name, keyword])),
  })
}
