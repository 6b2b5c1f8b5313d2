import { z } from 'zod'
import { customerId } from './id.ts'

/** A user's id: a `loy_` id, or an external id registered on a member. */
export const userId = customerId.meta({ example: 'loy_8sd2k1' })

/** Path parameters of a user's routes. */
export const userPath = z.strictObject({ id: userId })
