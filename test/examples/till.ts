import { memberToken } from '../../domain/identity.ts'
import type { Book } from './book.ts'

const EVENTS = '/v1/events'
const IDENTITIES = '/v1/loyalty/identities'
const OF_MEMBER = '/v1/loyalty/accounts/{id}/identities'
const LOOKUP = 'POST /v1/members/lookup'

const USER = 'loy_8sd2k1'

/** A sale as the tills' documents describe it, from the rate to the refund. */
export async function till(book: Book): Promise<void> {
  const { ask } = book
  await ask('PUT /v1/settings', 'A point is worth a cent', { body: { pointsCurrencyValue: 0.01 } })
  await ask('PUT /v1/settings', 'Worth nothing', {
    body: { pointsCurrencyValue: 0 },
    refused: 400,
  })
  await ask('GET /v1/settings', 'All', {})
  await identities(book)
  const path = { id: USER }
  await ask('GET /v1/users/{id}/wallet', 'A wallet', { path })
  await ask('GET /v1/users/{id}/wallet', 'By an external id', { path: { id: 'crm-77' } })
  await ask('GET /v1/users/{id}/conversion', 'What points are worth', {
    path,
    query: { points: 500 },
  })
  await ask('GET /v1/users/{id}/conversion', 'How many points pay for it', {
    path,
    query: { amount: 1_250 },
  })
  await sales(book)
  await holds(book)
}

/** How the member is recognised, and is. */
async function identities({ ask }: Book): Promise<void> {
  const path = { id: USER }
  const phone = '+47 912 34 567'
  const device = await ask(`POST ${OF_MEMBER}`, 'A phone that shows QR codes', {
    path,
    body: { kind: 'device', label: "Mira's phone" },
  })
  const card = await ask(`POST ${OF_MEMBER}`, 'A new card', { path, body: { kind: 'card' } })
  await ask(`POST ${OF_MEMBER}`, 'A card that is there', {
    path,
    body: { kind: 'card', token: '4006381333931' },
  })
  await ask(`POST ${OF_MEMBER}`, 'A phone number', { path, body: { kind: 'phone', phone } })
  await ask(`POST ${OF_MEMBER}`, 'Your own id of the member', {
    path,
    body: { kind: 'external_id', external_id: 'crm-77' },
  })
  await ask(`POST ${OF_MEMBER}`, "Another member's", {
    path: { id: 'loy_abc123' },
    body: { kind: 'external_id', external_id: 'crm-77' },
    refused: 409,
  })
  await ask(`GET ${OF_MEMBER}`, 'The newest', { path, query: { limit: 2 } })
  await ask(`GET ${IDENTITIES}/{id}`, 'A device', { path: { id: device.id } })

  const token = memberToken(device.id, Buffer.from(device.secret, 'base64url'), Date.now())
  await ask(LOOKUP, 'By a QR code', { body: { token, till: 'till-7' } })
  await ask(LOOKUP, 'A photo of it, at another till', {
    body: { token, till: 'till-8' },
    refused: 404,
  })
  await ask(LOOKUP, 'By a card', { body: { token: card.token } })
  await ask(LOOKUP, 'By a phone number', { body: { phone } })
  await ask(`DELETE ${IDENTITIES}/{id}`, 'A lost card', { path: { id: card.id } })
  await ask(LOOKUP, 'By the lost card', { body: { token: card.token }, refused: 404 })
}

/** Points taken, not taken, and given back. */
async function sales({ ask }: Book): Promise<void> {
  const report = `POST ${EVENTS}`
  const strict = { strict: true }
  const event = { type: 'REDEEMED_POINTS', user: USER, payload: { points: 500 } }
  await ask(report, 'What would follow', { query: { dry_run: true }, body: event })
  const sale = await ask(report, 'A sale', {
    query: strict,
    body: { ...event, eventId: 'till-7/0001', payload: { points: 500, transactionId: 'T-1042' } },
  })
  await ask(report, 'More than there is', {
    query: strict,
    body: { ...event, eventId: 'till-7/0002', payload: { points: 50_000 } },
    refused: 422,
  })
  await ask(report, 'A payload that its type does not take', {
    body: { ...event, eventId: 'till-7/0003', payload: { points: '500' } },
    refused: 400,
  })
  await ask(report, 'Personal data', {
    body: {
      ...event,
      eventId: 'till-7/0004',
      payload: { points: 500, cashierEmail: 'a@b.example' },
    },
    refused: 400,
  })
  await ask(report, 'The sale failed', {
    body: { ...event, eventId: 'till-7/0005', reverses: 'till-7/0001' },
  })
  await ask(`GET ${EVENTS}/{id}`, 'A sale', { path: { id: sale.id } })
}

/** Points held while the member pays. */
async function holds({ ask }: Book): Promise<void> {
  const hold = { type: 'REDEEMED_POINTS', user: USER, payload: { points: 500 }, hold: true }
  const report = `POST ${EVENTS}`
  await ask(report, 'Held until it is paid', { body: { ...hold, eventId: 'till-7/0006' } })
  await ask(`POST ${EVENTS}/{id}/confirm`, 'It is paid', {
    path: { id: 'till-7/0006' },
    body: {},
  })
  await ask(report, 'Held, and not paid', { body: { ...hold, eventId: 'till-7/0007' } })
  await ask(`POST ${EVENTS}/{id}/cancel`, 'It is not', { path: { id: 'till-7/0007' }, body: {} })
  await ask(`POST ${EVENTS}/{id}/confirm`, 'Too late: the points are back', {
    path: { id: 'till-7/0007' },
    body: {},
    refused: 422,
  })
}
