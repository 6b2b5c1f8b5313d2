import { expect } from 'vitest'
import type { Book } from './book.ts'

const IMPORTS = '/v1/loyalty/imports'
const REVERSALS = '/v1/loyalty/batch_reversals'
const PROGRAM = '/v1/loyalty/programs/{id}'
const HOUR_MS = 3_600_000

/** Files of movements. No worker runs until `startWorker`, so that nothing moves between two requests. */
export async function imports({ ask, shop }: Book, startWorker: () => Promise<unknown>) {
  const csv = [
    'account,amount,reason,metadata.note',
    'loy_9f2k,120,opening,from the old system',
    'loy_abc123,80,opening,',
    '',
  ].join('\n')
  await ask(`POST ${IMPORTS}`, 'A file with a wrong line', {
    type: 'text/csv',
    body: csv.replace('80', 'eighty'),
    refused: 400,
  })
  const wrong = await ask(`POST ${IMPORTS}`, 'The wrong file', {
    type: 'text/csv',
    body: csv,
    query: { batch: 'opening-2025' },
  })
  await ask(`POST ${IMPORTS}/{id}/cancel`, 'Canceled', { path: { id: wrong.id } })
  const { id, batch } = await ask(`POST ${IMPORTS}`, 'CSV', {
    type: 'text/csv',
    body: csv,
    query: { batch: 'opening-2026' },
    idempotencyKey: 'opening-2026.csv',
  })
  await ask(`POST ${IMPORTS}/{id}/pause`, 'Paused', { path: { id } })
  await ask(`POST ${IMPORTS}/{id}/resume`, 'Goes on', { path: { id } })
  const rows = [
    { account: 'loy_9f2k', amount: 10, reason: 'survey' },
    { account: 'loy_8sd2k1', amount: 10, reason: 'survey', key: 'second' },
  ]
  await ask(`POST ${IMPORTS}`, 'Rows of JSON', {
    type: 'application/x-ndjson',
    body: rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
  })
  const stop = await startWorker()
  await completed(`${IMPORTS}/${id}`)
  await ask(`GET ${IMPORTS}/{id}`, 'Written', { path: { id } })
  await completed(`${IMPORTS}/${(await shop.get(`${IMPORTS}?limit=1`)).body.data[0].id}`)
  await ask(`GET ${IMPORTS}`, 'The newest', { query: { limit: 1 } })
  return { batch, stop }

  async function completed(path: string) {
    await expect
      .poll(async () => (await shop.get(path)).body.status, { timeout: 30_000 })
      .toBe('completed')
  }
}

/** A batch taken back; again without a worker until `startWorker`. */
export async function reversals(
  { ask, shop }: Book,
  batch: string,
  startWorker: () => Promise<unknown>,
) {
  await ask('POST /v1/loyalty/batches/{batch}/reverse', 'No such batch', {
    path: { batch: 'closing-2026' },
    refused: 404,
  })
  const { id } = await ask('POST /v1/loyalty/batches/{batch}/reverse', 'A file taken back', {
    path: { batch },
  })
  await ask(`POST ${REVERSALS}/{id}/pause`, 'Paused', { path: { id } })
  await ask(`POST ${REVERSALS}/{id}/resume`, 'Goes on', { path: { id } })
  await startWorker()
  await expect
    .poll(async () => (await shop.get(`${REVERSALS}/${id}`)).body.status, { timeout: 30_000 })
    .toBe('completed')
  await ask(`GET ${REVERSALS}/{id}`, 'Taken back', { path: { id } })
}

/** What is owed, month by month, and joined to the payments. */
export async function reports({ ask }: Book, { from, to }: { from: string; to: string }) {
  const path = { id: 'prog_default' }
  await ask(`GET ${PROGRAM}/liability`, 'Now', { path })
  await ask(`GET ${PROGRAM}/liability/export`, 'A month', { path, query: { from, to } })
  await ask(`GET ${PROGRAM}/reconciliation`, 'The last hour', {
    path,
    query: { 'created[gte]': new Date(Date.now() - HOUR_MS).toISOString() },
  })
}
