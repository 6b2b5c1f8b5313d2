import type { Pool } from '../../db/pool.ts'
import { type DueDelivery, settleDelivery } from '../../db/webhook-deliveries.ts'
import {
  FAILING_FOR_MS,
  retryAfterMs,
  retryDelayMs,
  signatureHeaders,
} from '../../domain/webhook-delivery.ts'
import type { Send } from './send.ts'

export type DeliveryDependencies = { readonly pool: Pool; readonly send: Send }
export type Target = { workspace: string; endpoint: string }
/** A delivery with everything that its request needs. */
export type DeliveryRequest = {
  delivery: DueDelivery
  body: string
  url: string
  secrets: string[]
}

/** One try of one delivery, settled in its row; says whether it was taken, and whether that disabled the endpoint. */
export async function attempt(
  { pool, send }: DeliveryDependencies,
  target: Target,
  { delivery, body, url, secrets }: DeliveryRequest,
): Promise<{ ok: boolean; disabled: boolean }> {
  const startedMs = Date.now()
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'vinr-webhooks/1',
    ...signatureHeaders(secrets, delivery.event, Math.floor(startedMs / 1_000), body),
  }
  const answer = await send(url, headers, body).catch((error: unknown) => ({
    error: error instanceof Error ? error.message : String(error),
  }))
  const nowMs = Date.now()
  const number = delivery.attempt + 1
  const ok = 'status' in answer && answer.status >= 200 && answer.status < 300
  const patience = 'status' in answer ? retryAfterMs(answer.retryAfter, nowMs) : null
  const { disabled } = await settleDelivery(pool, {
    ...target,
    delivery: delivery.id,
    attempt: number,
    log: {
      at: new Date(startedMs).toISOString(),
      url,
      duration_ms: nowMs - startedMs,
      ...('status' in answer
        ? { response_status: answer.status, response_body: answer.body }
        : { error: answer.error }),
    },
    ok,
    gone: 'status' in answer && answer.status === 410,
    retryMs: ok ? null : retryDelayMs(number, patience, Math.random()),
    failingForMs: FAILING_FOR_MS,
  })
  return { ok, disabled }
}
