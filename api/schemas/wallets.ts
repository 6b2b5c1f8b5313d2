import { z } from 'zod'
import { rateOf } from '../../app/points.ts'
import type { WalletView } from '../../db/members.ts'
import { ACCOUNT_STATUSES, accountObject } from '../../domain/account.ts'
import { moneyFor, type PointRate, unitsOf } from '../../domain/points.ts'
import { CREDIT_TYPES } from '../../domain/store-credit.ts'
import { actor } from './actors.ts'
import { points } from './amounts.ts'
import { id } from './ids.ts'
import { time } from './times.ts'

const money = z.number().int().meta({ description: 'Minor units.' })

/** What a point is worth at the till. */
const PointValue = z
  .object({
    pointsCurrencyValue: z
      .string()
      .meta({ description: 'Of one point, in the major unit, exact.', example: '0.01' }),
    currency: z.string().meta({ example: 'EUR' }),
  })
  .meta({ id: 'PointValue' })

/** What a till reads before the member decides. */
export const Wallet = z
  .object({
    object: z.literal('wallet'),
    user: id('loy'),
    status: z.enum(ACCOUNT_STATUSES),
    points: points.meta({ description: 'What can be spent now; below zero is a deficit.' }),
    pending: points.meta({ description: 'Earned, and not yet due to be credited.' }),
    currency: z
      .object({ name: z.string(), code: z.string(), decimals: z.number().int() })
      .meta({ description: "The points' name and decimals, and the money they are valued in." }),
    value: PointValue.extend({
      amount: money.meta({ description: 'Of all points, rounded down; 0 below zero.' }),
    }),
    tier: z.string().nullable(),
    expiring: z
      .array(z.object({ points, expires_at: time }))
      .meta({ description: 'Soonest first.' }),
    credits: z
      .array(z.object({ amount: money, currency: z.string() }))
      .meta({ description: 'Store credit, by currency.' }),
    livemode: z.boolean(),
  })
  .meta({ id: 'Wallet' })

/** Points as money, or money as points. */
export const Conversion = z
  .object({
    object: z.literal('conversion'),
    user: id('loy'),
    points,
    amount: money,
    value: PointValue,
    rounding: z
      .enum(['down', 'up'])
      .meta({ description: 'Money from points is rounded down, points for money up.' }),
    affordable: z.boolean().meta({ description: 'Whether the member has so many points now.' }),
  })
  .meta({ id: 'Conversion' })

export const shownRate = ({ perPoint, currency }: PointRate) => ({
  pointsCurrencyValue: perPoint,
  currency,
})

/** A wallet as a till reads it. */
export function presentWallet(wallet: WalletView, livemode: boolean): z.input<typeof Wallet> {
  const { view, program, credits } = wallet
  const { decimals } = program
  const account = accountObject(view.row, { decimals, livemode }, view.lots, view.pending)
  const rate = rateOf(wallet)
  const { units } = unitsOf(account.balance, decimals, 'down')
  return {
    object: 'wallet' as const,
    user: account.id,
    status: account.status,
    points: account.balance,
    pending: account.pending_points,
    currency: { name: program.currencyName, code: program.currencyCode, decimals },
    // a fortune is shown as far as a JSON number counts exactly
    value: {
      amount: Math.min(moneyFor(units, decimals, rate), Number.MAX_SAFE_INTEGER),
      ...shownRate(rate),
    },
    tier: account.tier,
    expiring: account.expiring_points,
    credits,
    livemode,
  }
}

const minor = z.number().int()

/** What a member has in store credit. */
export const StoreCredit = z
  .object({
    object: z.literal('store_credit_wallet'),
    account: id('loy'),
    wallets: z.array(
      z.object({
        currency: z.string(),
        balance: minor.meta({ description: 'What can be spent.' }),
        expiring: z.array(z.object({ credit: id('crd'), amount: minor, expires_at: time })).meta({
          description: 'What of it has a date, soonest first; it is spent in this order.',
        }),
      }),
    ),
    livemode: z.boolean(),
  })
  .meta({ id: 'StoreCredit', description: 'Store credit by currency, in minor units.' })

/** One movement of store credit. */
export const StoreCreditTransaction = z
  .object({
    id: id('ctx'),
    object: z.literal('store_credit_transaction'),
    account: id('loy'),
    currency: z.string(),
    type: z.enum(CREDIT_TYPES),
    amount: minor.meta({ description: 'Signed, in minor units.' }),
    balance_after: minor,
    credit: id('crd').meta({ description: 'The issue that it draws on.' }),
    redemption: z.string().nullable(),
    payment: z.string().nullable(),
    refund: z.string().nullable(),
    reverses: z.string().nullable().meta({ description: 'The spend that a return gives back.' }),
    actor,
    created_at: time.meta({ description: 'When it happened: of an expiry its date.' }),
    livemode: z.boolean(),
  })
  .meta({
    id: 'StoreCreditTransaction',
    description: 'One movement of store credit; never edited.',
  })

/** What a program owes in store credit. */
export const StoreCreditLiability = z
  .object({
    object: z.literal('store_credit_liability'),
    program: id('prog'),
    asOf: time,
    currencies: z.array(
      z.object({
        currency: z.string(),
        outstanding: minor,
        issued: minor,
        spent: minor.meta({ description: 'Less what came back.' }),
        expired: minor,
        reversed: minor,
      }),
    ),
    livemode: z.boolean(),
  })
  .meta({
    id: 'StoreCreditLiability',
    description: 'In minor units: outstanding = issued - spent - expired - reversed, exactly.',
  })
