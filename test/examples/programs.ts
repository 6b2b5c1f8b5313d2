import type { Book } from './book.ts'

const PROGRAMS = '/v1/loyalty/programs'
const RULES = '/v1/loyalty/earning_rules'

/** Programs with tiers, and what earns points in them. */
export async function programs({ ask }: Book): Promise<void> {
  const club = await ask(`POST ${PROGRAMS}`, 'A club with tiers by hand', {
    body: {
      name: 'Club',
      currency: { name: 'Stars', code: 'EUR', pointValue: 1, decimals: 0 },
      expiry: { mode: 'rolling', months: 12, resetOnActivity: true, warnDaysBefore: 30 },
      tierConfig: {
        qualifyOn: 'custom',
        tiers: [
          { name: 'silver', rank: 1, threshold: 0 },
          { name: 'gold', rank: 2, threshold: 0, multiplier: 1.5 },
        ],
      },
    },
  })
  const path = { id: club.id }
  await ask(`GET ${PROGRAMS}/{id}`, 'A program', { path })
  await ask(`GET ${PROGRAMS}`, 'The newest', { query: { limit: 1 } })
  await ask(`PATCH ${PROGRAMS}/{id}`, 'Points live for two years', {
    path,
    body: { expiry: { months: 24 } },
  })
  await ask(`PATCH ${PROGRAMS}/{id}`, 'A field that does not exist', {
    path,
    body: { expiry: { years: 2 } },
    refused: 400,
  })
  const { id } = await ask('POST /v1/loyalty/accounts', 'A member of the club', {
    body: { program: club.id },
  })
  await ask('POST /v1/loyalty/accounts/{id}/set_tier', 'Gold, and why', {
    path: { id },
    body: { tier: 'gold', reason: 'ambassador' },
  })
  await ask('GET /v1/loyalty/accounts/{id}/tier_changes', 'How it came to gold', { path: { id } })

  const rule = await ask(`POST ${RULES}`, '1 point for each euro', {
    body: {
      program: 'prog_default',
      name: '1 point per EUR 1',
      trigger: 'payment.completed',
      award: { per_amount: { points: 1, amount: 100, currency: 'eur' } },
    },
  })
  await ask(`POST ${RULES}`, '100 points to begin with', {
    body: { program: club.id, trigger: 'loyalty.account.created', award: { fixed: 100 } },
  })
  await ask(`GET ${RULES}/{id}`, 'A rule', { path: { id: rule.id } })
  await ask(`PATCH ${RULES}/{id}`, 'At most 500 points a day', {
    path: { id: rule.id },
    body: { cap: { points: 500, window: 'day' } },
  })
  await ask('POST /v1/loyalty/earning_previews', 'What a purchase would earn', {
    body: { account: 'loy_9f2k', amount: 2_999, currency: 'eur' },
  })
  await ask('POST /v1/loyalty/earning_previews', 'Of nobody', {
    body: { account: 'loy_nobody', amount: 2_999, currency: 'eur' },
    refused: 404,
  })
  await ask(`GET ${RULES}`, 'Of a program', { query: { program: 'prog_default', limit: 5 } })
}
