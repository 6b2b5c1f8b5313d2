import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { EVENT_PAYLOADS } from '../../api/schemas/event-payloads.ts'
import { ENDPOINTS } from '../../api/server/endpoints.ts'
import { openApiDocument } from '../../api/server/openapi.ts'
import { isIntrinsic } from '../../domain/event.ts'
import { PAYMENT_STATUSES } from '../../domain/payment.ts'

const SQL = new URL('../../db/sql/', import.meta.url)

/** The types that the ledger writes by name. */
async function writtenTypes(): Promise<string[]> {
  const names = (await readdir(SQL)).filter((name) => name !== 'previous_release.sql')
  const texts = await Promise.all(names.map((name) => readFile(new URL(name, SQL), 'utf8')))
  const types = texts
    .join('\n')
    .matchAll(/'((?:loyalty|approval|customer|program|webhook_endpoint)\.[a-z_]+(?:\.[a-z_]+)?)'/g)
  return [...new Set([...types].map(([, type = '']) => type))].sort()
}

test('each type that the ledger writes has a payload, and each payload a type', async () => {
  const described = Object.keys(EVENT_PAYLOADS)
  const own = described.filter((type) => !type.startsWith('payment.')).sort()
  expect(await writtenTypes()).toEqual(own)
  const ends = PAYMENT_STATUSES.map((status) =>
    status === 'requires_payment' ? 'created' : status,
  )
  expect(described).toEqual(expect.arrayContaining(ends.map((status) => `payment.${status}`)))
  expect(described.filter((type) => !isIntrinsic(type))).toEqual([])
})

test('the document has a webhook for each, with its type, its payload and how it is signed', () => {
  const { webhooks = {} } = openApiDocument(ENDPOINTS, '0.0.0')
  expect(Object.keys(webhooks)).toEqual(Object.keys(EVENT_PAYLOADS))
  expect(webhooks['loyalty.redemption.applied']).toMatchObject({
    post: {
      requestBody: {
        content: {
          'application/json': {
            schema: {
              properties: {
                type: { enum: ['loyalty.redemption.applied'] },
                data: { $ref: '#/components/schemas/Redemption' },
              },
            },
          },
        },
      },
    },
  })
  for (const webhook of Object.values(webhooks)) {
    const { post } = webhook as { post: { parameters: { name: string }[] } }
    expect(post.parameters.map(({ name }) => name)).toContain('x-vinr-signature')
  }
})
