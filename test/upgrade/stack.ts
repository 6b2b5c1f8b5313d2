import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { type Child, describeExit, tailOf } from '../../dev/children.ts'
import { readState } from '../../dev/state-file.ts'

const CHECK_EVERY_MS = 100

const Contract = z.looseObject({
  apiUrl: z.string(),
  apiKey: z.string(),
  paymentWebhookSecret: z.string(),
})
const Database = z.object({ MIGRATION_DATABASE_URL: z.string(), workspace: z.string() })
const Ports = z.object({ temporal: z.number() })

/** A stack that runs, as its own files say. */
export type RunningStack = {
  apiUrl: string
  apiKey: string
  ownerUrl: string
  workspace: string
  temporalAddress: string
}

/** Resolves when `npm start` on this data directory says that it is ready. */
export async function untilReady(
  dataDir: string,
  stack: Child,
  withinMs: number,
): Promise<RunningStack> {
  const until = performance.now() + withinMs
  for (;;) {
    const contract = Contract.safeParse(readState(join(dataDir, 'stack.json')))
    if (contract.success) return running(dataDir, contract.data)
    const failed = stack.running() ? null : describeExit(await stack.exited)
    if (failed !== null || performance.now() > until) {
      const log = tailOf(join(dataDir, 'stack.log'))
      throw new Error(`npm start is not ready: ${failed ?? 'it takes too long'}\n${log}`)
    }
    await delay(CHECK_EVERY_MS)
  }
}

function running(dataDir: string, { apiUrl, apiKey }: z.infer<typeof Contract>): RunningStack {
  const database = Database.parse(readState(join(dataDir, 'database.json')))
  const { temporal } = Ports.parse(readState(join(dataDir, 'ports.json')))
  return {
    apiUrl,
    apiKey,
    ownerUrl: database.MIGRATION_DATABASE_URL,
    workspace: database.workspace,
    temporalAddress: `127.0.0.1:${temporal}`,
  }
}

export type Reply = { status: number; body: Record<string, unknown> }

/** Asks the API as a merchant does. */
export async function ask(
  { apiUrl, apiKey }: Pick<RunningStack, 'apiUrl' | 'apiKey'>,
  method: 'GET' | 'POST' | 'PATCH',
  path: string,
  body?: object | string,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const response = await fetch(`${apiUrl}${path}`, {
    method,
    headers: { 'X-Api-Key': apiKey, 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'object' ? JSON.stringify(body) : body,
    signal: AbortSignal.timeout(30_000),
  })
  return {
    status: response.status,
    body: z.record(z.string(), z.unknown()).parse(await response.json()),
  }
}

export const readJson = async (file: string): Promise<unknown> =>
  JSON.parse(await readFile(file, 'utf8'))
