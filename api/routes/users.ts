import { z } from 'zod'
import { byUserId } from '../../app/failed-attempts.ts'
import { exactUnits, rateOf } from '../../app/points.ts'
import { notFound } from '../../app/refusals.ts'
import { findWallet, type IdentityPresentation, type WalletView } from '../../db/members.ts'
import {
  cardHash,
  isMemberToken,
  phoneHash as keyedPhone,
  readMemberToken,
} from '../../domain/identity.ts'
import { MAX_MOVEMENT, moneyFor, pointsFor, pointsOf } from '../../domain/points.ts'
import { refuse } from '../../domain/refusal.ts'
import { amountMinor, positivePoints } from '../schemas/amounts.ts'
import { phone, phoneHash } from '../schemas/identities.ts'
import { userId, userPath } from '../schemas/ids.ts'
import { text } from '../schemas/text.ts'
import { Conversion, presentWallet, shownRate, Wallet } from '../schemas/wallets.ts'
import { withAlias } from '../server/declaration.ts'
import { endpoint } from '../server/endpoint.ts'

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

const LONGEST_SCAN = 200
const LONGEST_TILL = 64

const till = text(LONGEST_TILL)
  .optional()
  .meta({ description: 'Which till asks; a QR token is answered to the first one alone.' })

const Lookup = z
  .union([
    z.strictObject({
      token: text(LONGEST_SCAN).meta({ description: 'What the scanner read: QR or card.' }),
      till,
    }),
    z.strictObject({ phone, till }),
    z.strictObject({ phone_hash: phoneHash, till }),
    z.strictObject({ id: userId, till }),
  ])
  .meta({ id: 'MemberLookup' })

const LOOKED_UP_BY = ['qr', 'card', 'phone', 'id'] as const

const Member = z
  .object({
    object: z.literal('member'),
    user: Wallet.shape.user,
    identified_by: z.enum(LOOKED_UP_BY),
    wallet: Wallet,
  })
  .meta({ id: 'Member' })

type Credential = {
  by: (typeof LOOKED_UP_BY)[number]
  presented: Pick<IdentityPresentation, 'kind' | 'value' | 'step'>
}

export const lookUpMember = withAlias('/members/lookup', (path) =>
  endpoint({
    method: 'POST',
    path,
    summary: 'Find the member who stands at the till',
    description:
      'By a QR or card token, a phone or an id; the answer holds the wallet. Unknown, revoked, wrong, too old and read by another till before are one and the same 404.',
    tags: ['tills'],
    scope: 'tills:read',
    key: 'secret',
    body: Lookup,
    reply: Member,
    errors: ['resource_missing'],
    handle: async ({ workspace, caller, livemode, body, deps }) => {
      const shown = read(body, await deps.memberKey(workspace))
      const { by } = shown
      const found = await deps.attempts.make(
        by === 'id' ? byUserId(caller) : `${caller} ${by}`,
        async () => {
          if (shown.presented === undefined) return undefined
          const reader = `${caller} ${body.till ?? ''}`
          return deps.commands.findMember({ workspace, by: reader, ...shown.presented })
        },
      )
      if (found === undefined) return refuse('resource_missing', 'No such member.')
      const wallet = presentWallet(found, livemode)
      return {
        status: 'ok',
        object: { object: 'member' as const, user: wallet.user, identified_by: by, wallet },
      }
    },
  }),
)

/** What was shown, as the ledger finds it; without `presented` nothing that could be anybody's. */
function read(
  body: z.output<typeof Lookup>,
  key: Buffer,
): { by: Credential['by']; presented?: Credential['presented'] } {
  if ('id' in body) return { by: 'id', presented: { kind: 'user', value: body.id, step: null } }
  if ('phone' in body || 'phone_hash' in body) {
    const value = keyedPhone(key, 'phone' in body ? body.phone : body.phone_hash)
    return { by: 'phone', presented: { kind: 'phone', value, step: null } }
  }
  if (!isMemberToken(body.token)) {
    const value = cardHash(key, body.token)
    return { by: 'card', presented: { kind: 'card', value, step: null } }
  }
  const claim = readMemberToken(body.token, key)
  return claim === undefined
    ? { by: 'qr' }
    : { by: 'qr', presented: { kind: 'device', value: claim.device, step: claim.step } }
}
