import { createHmac } from 'node:crypto'

/**
 * The headers that prove an event's origin, by both schemes, over `body` at `timestamp` (unix
 * seconds). `x-vinr-signature` keys with the whole secret as text, Standard Webhooks with the
 * bytes behind `whsec_`. During a roll both secrets sign.
 */
export function signatureHeaders(
  secrets: readonly string[],
  event: string,
  timestamp: number,
  body: string,
): Record<string, string> {
  const ours = secrets.map(
    (secret) => `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`,
  )
  const standard = secrets.map(
    (secret) =>
      `v1,${createHmac('sha256', keyBytes(secret)).update(`${event}.${timestamp}.${body}`).digest('base64')}`,
  )
  return {
    'x-vinr-signature': [`t=${timestamp}`, ...ours].join(','),
    'x-vinr-timestamp': String(timestamp),
    'webhook-id': event,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': standard.join(' '),
  }
}

const keyBytes = (secret: string) => Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
