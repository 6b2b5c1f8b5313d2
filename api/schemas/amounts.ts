import { z } from 'zod'
import { isCurrency } from '../../domain/currency.ts'

const MOST_MINOR = 1_000_000_000_000 // ten billion in most currencies: beyond it is a mistake

/** Money in integer minor units, 0 to 10^12; a fraction, a negative or a text is refused. */
export const amountMinor = z.number().int().min(0).max(MOST_MINOR).meta({ example: 2999 })

/** Money that must be something: as `amountMinor`, at least 1. */
export const positiveAmountMinor = z.number().int().min(1).max(MOST_MINOR).meta({ example: 500 })

const isoCode = z.string().refine(isCurrency, 'expected an ISO 4217 code')

/** An ISO 4217 code in either case, lower-case as payments write it. */
export const currencyLower = isoCode
  .transform((code) => code.toLowerCase())
  .meta({ example: 'eur' })

/** An ISO 4217 code in either case, upper-case as reports and discounts write it. */
export const currencyUpper = isoCode
  .transform((code) => code.toUpperCase())
  .meta({ example: 'EUR' })

// Of one movement or price; with four decimals still below 2^53. A balance may hold several of them.
const MOST_POINTS = 100_000_000_000

/** Points as the API writes them: a JSON number, fractions as far as the program's decimals go. */
export const points = z.number().meta({ example: 500 })

/** Points that cost or give something: above zero. */
export const positivePoints = z.number().gt(0).max(MOST_POINTS).meta({ example: 500 })

/** A signed movement of points: not zero. */
export const pointsMoved = z
  .number()
  .min(-MOST_POINTS)
  .max(MOST_POINTS)
  .refine((value) => value !== 0, 'must not be zero')
  .meta({ example: -200 })
