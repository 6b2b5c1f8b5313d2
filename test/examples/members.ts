import type { Book } from './book.ts'

const ACCOUNTS = '/v1/loyalty/accounts'
const TRANSACTIONS = '/v1/loyalty/transactions'

/** Accounts, and points moved by hand. */
export async function members({ ask }: Book): Promise<void> {
  const enrol = {
    program: 'prog_default',
    customer: 'cust_mira',
    metadata: { signup_channel: 'web' },
  }
  const member = await ask(`POST ${ACCOUNTS}`, 'A member with a customer', { body: enrol })
  await ask(`POST ${ACCOUNTS}`, 'Enrolled twice', { body: enrol, refused: 409 })
  const card = await ask(`POST ${ACCOUNTS}`, 'A member without a customer', {
    body: { metadata: { card: '4711' } },
  })
  const path = { id: member.id }
  await ask(`GET ${ACCOUNTS}`, 'By customer', { query: { customer: 'cust_mira', limit: 1 } })
  await ask(`GET ${ACCOUNTS}/{id}`, 'No such member', { path: { id: 'loy_unknown' }, refused: 404 })
  await ask(`PATCH ${ACCOUNTS}/{id}`, 'A customer for the card', {
    path: { id: card.id },
    body: { customer: 'cust_jonas', metadata: { card: '4712' } },
  })

  const credit = await ask(`POST ${TRANSACTIONS}`, 'A goodwill credit', {
    body: {
      account: member.id,
      amount: 500,
      reason: 'goodwill_credit',
      metadata: { ticket: 'ZD-4821' },
    },
    idempotencyKey: 'ticket-ZD-4821',
  })
  await ask(`POST ${TRANSACTIONS}`, 'A correction', {
    body: { account: member.id, amount: -200, reason: 'manual_correction' },
  })
  await ask(`POST ${TRANSACTIONS}`, 'More than there is', {
    body: { account: member.id, amount: -1_000, reason: 'manual_correction' },
    refused: 422,
  })
  await ask(`POST ${TRANSACTIONS}`, 'Without a reason', {
    body: { account: member.id, amount: 10 },
    refused: 400,
  })
  await ask(`GET ${TRANSACTIONS}/{id}`, 'A transaction', { path: { id: credit.id } })
  await ask(`GET ${TRANSACTIONS}`, 'The last of a member', {
    query: { account: member.id, limit: 1 },
  })
  await ask(`POST ${TRANSACTIONS}/batch`, 'Two members at once', {
    body: {
      transactions: [
        { account: member.id, amount: 50, reason: 'birthday', metadata: { batch: 'birthdays' } },
        { account: card.id, amount: 50, reason: 'birthday', metadata: { batch: 'birthdays' } },
      ],
    },
  })
  const wrong = await ask(`POST ${TRANSACTIONS}`, 'A credit in error', {
    body: { account: card.id, amount: 70, reason: 'typing_error' },
  })
  await ask(`POST ${TRANSACTIONS}/{id}/reverse`, 'A credit taken back', {
    path: { id: wrong.id },
    body: {},
  })
  await ask(`POST ${TRANSACTIONS}/{id}/reverse`, 'Only once', {
    path: { id: wrong.id },
    body: {},
    refused: 422,
  })
  const paid = await ask(`POST ${TRANSACTIONS}`, 'Points paid at a counter', {
    body: { account: member.id, amount: -120, reason: 'paid_at_counter' },
  })
  await ask(`GET ${TRANSACTIONS}/{id}/allocations`, 'Which points it took', {
    path: { id: paid.id },
  })
  await ask(`GET ${ACCOUNTS}/{id}/lots`, 'What is left of which credit', {
    path,
    query: { open: true },
  })
  await ask(`GET ${ACCOUNTS}/{id}`, 'A member', { path })
  await ask(`GET ${ACCOUNTS}/{id}/balance_at`, 'At an instant', {
    path,
    query: { at: new Date().toISOString() },
  })

  await ask(`POST ${ACCOUNTS}/merge`, 'The card joins the member', {
    body: { source: card.id, target: member.id },
  })
  await ask(`GET ${ACCOUNTS}/{id}/timeline`, 'What happened to a member', {
    path,
    query: { limit: 3 },
  })
  await ask(`POST ${TRANSACTIONS}`, 'A credit with a date', {
    body: {
      account: member.id,
      amount: 30,
      reason: 'birthday',
      expires_at: new Date(Date.now() + 90 * 86_400_000).toISOString(),
    },
  })
  await ask(`GET ${ACCOUNTS}/{id}/upcoming`, 'What comes', { path })
  await ask('GET /v1/upcoming', 'What comes next', { query: { limit: 1 } })
  await ask(`POST ${ACCOUNTS}/{id}/export`, 'All that is kept of a member', { path })
  const left = await ask(`POST ${ACCOUNTS}`, 'A member of no use', { body: {} })
  await ask(`POST ${ACCOUNTS}/{id}/close`, 'Closed', { path: { id: left.id }, body: {} })
  await ask(`POST ${TRANSACTIONS}`, 'To a closed account', {
    body: { account: left.id, amount: 10, reason: 'goodwill_credit' },
    refused: 422,
  })
  await ask(`POST ${ACCOUNTS}/{id}/reopen`, 'Open again', { path: { id: left.id }, body: {} })
  await ask(`POST ${ACCOUNTS}/{id}/erase`, 'Asked for', { path: { id: left.id }, body: {} })
  await ask(`GET ${ACCOUNTS}/{id}/erasure`, 'Under way', { path: { id: left.id } })
}
