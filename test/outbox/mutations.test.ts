import { afterAll, beforeAll, expect, test } from 'vitest'
import { openShop, type Shop } from '../api/shop.ts'
import { outboxWrites } from './mutation.ts'
import type { Proof } from './proof.ts'
import { proofsIn } from './proofs.ts'

// Whether anything would be noticed if a function no longer wrote its outbox row.

let shop: Shop
let proofs: Proof[]

beforeAll(async () => {
  shop = await openShop()
  proofs = await proofsIn(shop)
})
afterAll(() => shop.close())

const failureOf = (proof: Proof): Promise<unknown> =>
  proof.prove().then(
    () => null,
    (error: unknown) => error,
  )

test('every proof holds', async () => {
  for (const proof of proofs)
    expect([proof.title, await failureOf(proof)]).toEqual([proof.title, null])
})

test('without any one write of an outbox row a proof fails', async () => {
  const writes = await outboxWrites(shop.owner)
  const unnoticed: string[] = []
  for (const { name, title, definition, without } of writes) {
    await shop.owner.query(without)
    const failures = await Promise.all(proofs.filter(({ of }) => of.includes(name)).map(failureOf))
    await shop.owner.query(definition)
    if (!failures.some(isMissingRow)) unnoticed.push(title)
    const others = failures.filter((failure) => failure !== null && !isMissingRow(failure))
    expect(others, `the rest of ${title}`).toEqual([])
  }
  expect(unnoticed).toEqual([])
  expect(writes.length).toBeGreaterThan(8)
}, 120_000)

/** The row was looked for, and not there: nothing else went wrong for want of it. */
const isMissingRow = (failure: unknown): boolean =>
  failure instanceof Error && failure.name === 'AssertionError'

test('a proof is of functions that there are', async () => {
  const names = proofs.flatMap(({ of }) => of)
  const { rows } = await shop.owner.query(
    'select name from unnest($1::text[]) name where not exists (select from pg_proc where proname = name)',
    [names],
  )
  expect(rows).toEqual([])
})
