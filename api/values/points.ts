import { z } from 'zod'

// With four decimals still below 2^53, and more than anybody's balance.
const MOST_POINTS = 100_000_000_000

/** Points as the API writes them: a JSON number, fractions as far as the program's decimals go. */
export const points = z.number().min(-MOST_POINTS).max(MOST_POINTS).meta({ example: 500 })

/** Points that cost or give something: above zero. */
export const positivePoints = z.number().gt(0).max(MOST_POINTS).meta({ example: 500 })

/** A signed movement of points: not zero. */
export const pointsMoved = points
  .refine((value) => value !== 0, 'must not be zero')
  .meta({ example: -200 })
