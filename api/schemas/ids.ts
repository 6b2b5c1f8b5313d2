import { z } from 'zod'
import type { IdPrefix } from '../../domain/ids.ts'

/**
 * An id of one kind: the prefix and 1 to 60 letters, digits or underscores
 * (older ids and the demo's are short: `loy_9f2k`). In a body a malformed one
 * is parameter_invalid, in a path 404 as for one that nobody has.
 */
export function id(prefix: IdPrefix) {
  return z
    .string()
    .regex(
      new RegExp(`^${prefix}_[0-9A-Za-z_]{1,60}$`),
      `expected an id that starts with ${prefix}_`,
    )
    .meta({ example: EXAMPLES[prefix] })
}

/** Path parameters of a route under one object: `{id}`. */
export function idPath(prefix: IdPrefix) {
  return z.strictObject({ id: id(prefix) })
}

/** A customer of the merchant's own systems: their id, not ours; 1 to 100 visible ASCII characters. */
export const customerId = z
  .string()
  .regex(/^[\x21-\x7e]{1,100}$/, 'expected 1 to 100 visible ASCII characters')
  .meta({ example: 'cust_abc123' })

/** The id of a refund or a dispute: ours starts with `re_`, a provider's is as it tells it. */
export const refundId = z
  .string()
  .regex(/^[\x20-\x7e\xa0-\uffff]{1,255}$/, 'expected 1 to 255 visible characters')
  .meta({ example: 're_5tNc' })

const EXAMPLES: Readonly<Partial<Record<IdPrefix, string>>> = {
  prog: 'prog_default',
  loy: 'loy_8sd2k1',
  rwd: 'rwd_fivecredit',
  rdm: 'rdm_3kd9',
  pay: 'pay_5tNc',
  ptx: 'ptx_7Qd3',
  evt: 'evt_7Qd3',
  req: 'req_7Qd3',
  key: 'key_7Qd3',
  we: 'we_5tNc',
  dlv: 'dlv_5tNc',
  cpl: 'cpl_5tNc',
  crd: 'crd_3kd9',
  ctx: 'ctx_7Qd3',
  gcc: 'gcc_7Qd3',
}

/** A user's id: a `loy_` id, or an external id registered on a member. */
export const userId = customerId.meta({ example: 'loy_8sd2k1' })

/** Path parameters of a user's routes. */
export const userPath = z.strictObject({ id: userId })
