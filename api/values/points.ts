import { z } from 'zod'

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
