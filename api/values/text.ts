import { z } from 'zod'

// Postgres stores neither NUL nor half a surrogate pair; without this they would end as a 500.
const STORABLE = /^(?:[^\0\p{Surrogate}])*$/u

/** Free text of `min` to `max` UTF-16 units that the database can hold. */
export function text(max: number, min = 1) {
  return z
    .string()
    .min(min)
    .max(max)
    .refine((value) => STORABLE.test(value), 'has characters that cannot be stored')
}
