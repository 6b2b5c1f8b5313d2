import { Vinr, VinrConflictError } from '@vinr/sdk'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { workspaceCommands } from '../../app/workspaces.ts'
import { newId } from '../../domain/ids.ts'
import { has, type ShopServer, serve } from './served.ts'

/** "Loyalty accounts": each snippet as it is printed; only ids printed with dots are filled in. */

let shop: ShopServer
let vinr: Vinr

beforeAll(async () => {
  shop = await serve()
  // A workspace without members: the page enrols the first.
  const { createWorkspace } = workspaceCommands({ pool: shop.pool })
  process.env.VINR_SECRET_KEY = (await createWorkspace(newId('ws'), 'New shop', false)).secretKey
  vinr = new Vinr({ secretKey: process.env.VINR_SECRET_KEY })
})
afterAll(() => shop.close())

test('enrolling a member, and finding it before enrolling twice', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  const enrolled = await (async () => {
    const member = await vinr.loyalty.accounts.create({
      program: 'prog_default',
      customer: 'cust_abc123',
      metadata: { signup_channel: 'web' },
    })
    console.log(member.id, member.balance) // "loy_7Qk..." 0
    return member
  })()
  expect(log).toHaveBeenCalledWith(expect.stringMatching(/^loy_/), 0)
  log.mockRestore()

  // Avoid duplicate enrollments — resolve before creating.
  const { data } = await vinr.loyalty.accounts.list({
    program: 'prog_default',
    customer: 'cust_abc123',
    limit: 1,
  })
  const member =
    data[0] ??
    (await vinr.loyalty.accounts.create({
      program: 'prog_default',
      customer: 'cust_abc123',
    }))
  expect(member.id).toBe(enrolled.id)

  const second = vinr.loyalty.accounts.create({ program: 'prog_default', customer: 'cust_abc123' })
  await expect(second).rejects.toThrow(VinrConflictError)
  await expect(second).rejects.toMatchObject({
    status: 409,
    code: 'account_already_exists',
    resource: enrolled.id,
  })
})

test('balances and history', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  const { id } = await vinr.loyalty.accounts.create({})
  await vinr.loyalty.transactions.create({ account: id, amount: 500, reason: 'goodwill_credit' })

  const account = await vinr.loyalty.accounts.retrieve(id)
  console.log(account.balance, account.lifetime_points)

  const ledger = await vinr.loyalty.transactions.list({
    account: id,
    limit: 20,
  })
  for (const ptx of ledger.data) {
    // ptx_... — type: 'earn' | 'redeem' | 'expire' | 'adjust' | 'reverse'
    console.log(ptx.id, ptx.type, ptx.amount, ptx.reason)
  }
  expect(log.mock.calls).toEqual([
    [500, 500],
    [expect.stringMatching(/^ptx_/), 'adjust', 500, 'goodwill_credit'],
  ])
  log.mockRestore()
})

test.runIf(has('PATCH', '/v1/loyalty/accounts/{id}'))('attaching a customer later', async () => {
  const { id } = await vinr.loyalty.accounts.create({})
  // Attach a customer to a standalone member created earlier.
  await vinr.loyalty.accounts.update(id, {
    customer: 'cust_later',
  })
  expect((await vinr.loyalty.accounts.retrieve(id)).customer).toBe('cust_later')
})

test.runIf(has('POST', '/v1/loyalty/accounts/{id}/close'))('closing an account', async () => {
  const { id } = await vinr.loyalty.accounts.create({})
  await vinr.loyalty.accounts.close(id) // status -> "closed"
  expect((await vinr.loyalty.accounts.retrieve(id)).status).toBe('closed')
})

test.runIf(has('POST', '/v1/loyalty/accounts/merge'))('merging duplicates', async () => {
  const old = await vinr.loyalty.accounts.create({})
  const kept = await vinr.loyalty.accounts.create({})
  await vinr.loyalty.transactions.create({ account: old.id, amount: 70, reason: 'opening' })
  const survivor = await vinr.loyalty.accounts.merge({
    source: old.id, // emptied, status -> "merged"
    target: kept.id, // receives source balance + lifetime points
  })
  expect(survivor).toMatchObject({ id: kept.id, balance: 70, lifetime_points: 70 })
})
