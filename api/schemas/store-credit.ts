import { z } from 'zod'
import { CREDIT_TYPES } from '../../domain/store-credit.ts'
import { id } from './ids.ts'
import { time } from './times.ts'

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
