import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { underV1 } from '../../api/server/declaration.ts'
import { ENDPOINTS } from '../../api/server/endpoints.ts'
import { openApiDocument } from '../../api/server/openapi.ts'
import { openShop, type Shop } from '../api/shop.ts'
import { openProvider } from '../support/oidc.ts'
import { access, approvals, people } from './access.ts'
import { type Book, openBook } from './book.ts'
import { catalogue } from './catalogue.ts'
import { eventsBySchema } from './events.ts'
import { imports, reports, reversals } from './finance.ts'
import { members } from './members.ts'
import { outbound } from './outbound.ts'
import { payments } from './payments.ts'
import { plain } from './plain.ts'
import { programs } from './programs.ts'
import { reactors } from './reactors.ts'
import { requestLog } from './requests.ts'
import { till } from './till.ts'

/**
 * The requests of the reference documentation, each sent to a real API, with its answer.
 * `npm run examples` keeps them in api/server/examples.json, from where they come into openapi.json.
 */

let shop: Shop
let book: Book
let provider: Awaited<ReturnType<typeof openProvider>>
const startedMs = Date.now()

beforeAll(async () => {
  provider = await openProvider()
  shop = await openShop({ worker: false, people: { oidc: provider.settings } })
  book = openBook(shop)
})
afterAll(async () => {
  const broken = await shop.reconcile()
  await shop.close()
  await provider.close()
  expect(broken).toEqual([])
})

const monthOf = (ms: number, later: number) => {
  const now = new Date(ms)
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + later))
    .toISOString()
    .slice(0, 10)
}

describe('each example', () => {
  test('of members, programs and files of movements is answered as it says', async () => {
    await programs(book)
    await members(book)
    let worker: { stop(): Promise<void> } | undefined
    const { batch } = await imports(book, async () => {
      worker = await shop.startWorker()
    })
    await worker?.stop()
    await reversals(book, batch, () => shop.startWorker())
  })

  test('of rewards, redemptions and payments is answered as it says', () => payments(book))

  test('of the catalogue, gift cards and store credit is answered as it says', () =>
    catalogue(book))

  test('of events and webhooks is answered as it says', () => outbound(book))

  test('of API keys and people is answered as it says', async () => {
    await access(book)
    await approvals(book)
    await people(book)
  })

  test('of reports is answered as it says', () =>
    reports(book, { from: monthOf(startedMs, 0), to: monthOf(startedMs, 1) }))

  test('of the request log is answered as it says', () => requestLog(book))

  test('of a till and its reactors is answered as it says', async () => {
    await reactors(book)
    await till(book)
  })
})

test('every route has an example that succeeds, its own or that of the route it is an alias of', () => {
  const shown = new Set(
    book.examples.filter(({ response }) => response.status < 300).map(({ operation }) => operation),
  )
  const routes = ENDPOINTS.map(({ method, path }) => `${method} ${underV1(path)}`)
  expect(routes.filter((route) => !shown.has(route))).toEqual([])
})

test('the events that they brought about are as their webhooks are documented, field by field', async () => {
  const { types, wrong } = await eventsBySchema(shop)
  expect(wrong).toEqual([])
  expect(types.length).toBeGreaterThan(20)
})

test('no two examples of a route have the same name', () => {
  const names = book.examples.map(({ operation, name }) => `${operation}: ${name}`)
  expect(names.filter((name, n) => names.indexOf(name) !== n)).toEqual([])
})

test('the served document shows them beside their routes', async () => {
  const { body } = await shop.get('/openapi.json')
  const redeem = body.paths['/v1/loyalty/redemptions'].post
  expect(redeem.requestBody.content['application/json'].examples).toHaveProperty('A discount')
  const refused = redeem.responses['422'].content['application/json'].examples
  expect(refused['More than there is'].value.error.code).toBe('insufficient_points')
})

test('an alias at the root shows the examples of its route under /v1', () => {
  const { paths } = openApiDocument(ENDPOINTS, '0.0.0', book.examples)
  const [report, atRoot] = [paths?.['/v1/events']?.post, paths?.['/events']?.post]
  expect(atRoot).toHaveProperty([
    'requestBody',
    'content',
    'application/json',
    'examples',
    'A sale',
  ])
  expect(atRoot?.requestBody).toEqual(report?.requestBody)
  expect(atRoot?.responses).toEqual(report?.responses)
})

test('the examples kept in api/server/examples.json are these (else: npm run examples)', async () => {
  const text = plain(JSON.stringify(book.examples, null, 2), startedMs)
    .replaceAll(monthOf(startedMs, 0), '2026-01-01')
    .replaceAll(monthOf(startedMs, 1), '2026-02-01')
  await expect(`${text}\n`).toMatchFileSnapshot('../../api/server/examples.json')
})
