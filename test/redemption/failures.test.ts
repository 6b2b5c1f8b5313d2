import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openShop, type Shop } from '../api/shop.ts'
import { ASKING } from './failures/asking.ts'
import { OPENING, Scene } from './failures/case.ts'
import { PAYING } from './failures/paying.ts'
import { UNDOING } from './failures/undoing.ts'

// The table of docs/redeeming.md is the table of this test: a row without a case fails, a case without
// a row as well.
const CASES = { ...ASKING, ...PAYING, ...UNDOING }
const page = await readFile(new URL('../../docs/redeeming.md', import.meta.url), 'utf8')
const rows = (page.split('## When something fails')[1] ?? '')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| what'))
  .map((line) => {
    const [name = '', answer = '', sees = '', points = ''] = line.split(' | ').map(bare)
    return { name, answer: answer.replaceAll('`', ''), fields: named(sees), points }
  })

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
  await shop.patch('/v1/loyalty/programs/prog_default', {
    tierConfig: { tiers: [{ name: 'Gold', rank: 1, threshold: 1_000_000, multiplier: 1 }] },
  })
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

test('each row has its case', () => {
  expect(rows.map(({ name }) => name).sort()).toEqual(Object.keys(CASES).sort())
})

test.for(rows)('$name: $answer, $points', async ({ name, answer, fields, points }) => {
  const member = (await shop.post('/v1/loyalty/accounts')).body.id
  await shop.post('/v1/loyalty/transactions', { account: member, amount: OPENING, reason: 'test' })
  const outcome = await CASES[name]?.(new Scene(shop, member))
  expect(outcome?.answer).toBe(answer)
  for (const field of fields) expect(outcome?.error).toHaveProperty(field)
  expect(points.split(',')[0]).toBe(await whatBecameOfThePoints(member))
})

async function whatBecameOfThePoints(account: string): Promise<string> {
  const { body } = await shop.get(`/v1/loyalty/accounts/${account}`)
  const moved = (await shop.get(`/v1/loyalty/transactions?account=${account}`)).body.data
  const held = await shop.get(`/v1/loyalty/redemptions?account=${account}&status=pending`)
  if (moved.length === 1) return 'untouched'
  if (held.body.data.length > 0) return 'held'
  if (moved[0].type === 'expire') return 'expired'
  return body.balance === OPENING ? 'back' : 'spent'
}

function bare(cell: string): string {
  return cell.replace(/^\| /, '').replace(/ \|$/, '').trim()
}

/** The fields that a cell names. */
function named(cell: string): string[] {
  return [...cell.matchAll(/`(\w+)`/g)].map(([, field]) => field ?? '')
}
