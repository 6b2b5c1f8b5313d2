import { z } from 'zod'
import { exactUnits, rateOf } from '../../app/points.ts'
import { notFound } from '../../app/refusals.ts'
import { findWallet, type WalletView } from '../../db/members.ts'
import { MAX_MOVEMENT, moneyFor, pointsFor, pointsOf } from '../../domain/points.ts'
import { refuse } from '../../domain/refusal.ts'
import { amountMinor, positivePoints } from '../schemas/amounts.ts'
import { userPath } from '../schemas/ids.ts'
import { Conversion, presentWallet, shownRate, Wallet } from '../schemas/wallets.ts'
import { withAlias } from '../server/declaration.ts'
import { endpoint } from '../server/endpoint.ts'
import { byUserId } from '../server/rate-limits.ts'

export const retrieveWallet = withAlias('/users/{id}/wallet', (path) =>
  endpoint({
    method: 'GET',
    path,
    summary: "Retrieve a member's wallet",
    description:
      'Of a merged member, the one of the member it was merged into. `value` follows the setting `pointsCurrencyValue`, else the program.',
    tags: ['tills'],
    key: 'secret',
    params: userPath,
    reply: Wallet,
    errors: ['resource_missing'],
    handle: async ({ workspace, caller, livemode, params, deps }) => {
      const wallet = await deps.attempts.make(byUserId(caller), () =>
        findWallet(deps.pool, workspace, params.id),
      )
      if (wallet === undefined) return notFound('user', params.id)
      return { status: 'ok', object: presentWallet(wallet, livemode) }
    },
  }),
)

const number = z
  .string()
  .regex(/^\d{1,13}(\.\d{1,4})?$/, 'expected a number')
  .transform(Number)

const ConversionQuery = z
  .strictObject({
    points: number
      .pipe(positivePoints)
      .optional()
      .meta({ type: 'number', description: 'What is this worth?' }),
    amount: number
      .pipe(amountMinor)
      .optional()
      .meta({ type: 'integer', description: 'Minor units: how many points pay for this?' }),
  })
  .refine(({ points, amount }) => (points === undefined) !== (amount === undefined), {
    error: 'give either points or amount',
    path: ['points'],
  })

export const convertPoints = withAlias('/users/{id}/conversion', (path) =>
  endpoint({
    method: 'GET',
    path,
    summary: 'Convert points to money, or money to points',
    description:
      'Money from points is rounded down to the minor unit; points for money are rounded up in the program’s decimals, so that they always cover it.',
    tags: ['tills'],
    key: 'secret',
    params: userPath,
    query: ConversionQuery,
    reply: Conversion,
    errors: ['resource_missing', 'invalid_precision'],
    handle: async ({ workspace, caller, params, query, deps }) => {
      const wallet = await deps.attempts.make(byUserId(caller), () =>
        findWallet(deps.pool, workspace, params.id),
      )
      if (wallet === undefined) return notFound('user', params.id)
      return { status: 'ok', object: conversion(wallet, query) }
    },
  }),
)

function conversion(wallet: WalletView, { points, amount }: z.output<typeof ConversionQuery>) {
  const { decimals } = wallet.program
  const rate = rateOf(wallet)
  const { user, points: balance } = presentWallet(wallet, false)
  const units =
    points === undefined
      ? pointsFor(amount ?? 0, decimals, rate)
      : exactUnits('points', points, decimals)
  if (units > MAX_MOVEMENT) {
    refuse('parameter_invalid', 'amount: takes more points than any movement may have.', {
      param: 'amount',
    })
  }
  const money = amount ?? moneyFor(units, decimals, rate)
  if (!Number.isSafeInteger(money)) {
    refuse('parameter_invalid', 'points: are worth more than can be said.', { param: 'points' })
  }
  const shown = pointsOf(units, decimals)
  return {
    object: 'conversion' as const,
    user,
    points: shown,
    amount: money,
    value: shownRate(rate),
    rounding: points === undefined ? ('up' as const) : ('down' as const),
    affordable: shown <= balance,
  }
}
