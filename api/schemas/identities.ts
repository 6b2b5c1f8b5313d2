import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { IdentityRow } from '../../db/members.ts'
import { IDENTITY_KINDS, isMemberToken } from '../../domain/identity.ts'
import { customerId, id } from './ids.ts'
import { text } from './text.ts'
import { time } from './times.ts'

const E164 = /^\+[1-9]\d{6,14}$/
const LONGEST_LABEL = 100
const SHORTEST_TOKEN = 8 // below it, guessing cards one by one pays
const LONGEST_TOKEN = 100

/** A phone's number as the SHA-256 (hex) of its E.164 form: the number itself goes no further than here. */
export const phone = z
  .string()
  .max(40)
  .transform((written) => written.replace(/[\s().-]/g, ''))
  .refine((number) => E164.test(number), 'expected a number in international form, as +4791234567')
  .transform((number) => createHash('sha256').update(number).digest('hex'))
  .meta({ type: 'string', example: '+47 912 34 567' })

export const phoneHash = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/, 'expected the SHA-256 of the number, 64 hex digits')
  .meta({ description: 'SHA-256 (hex) of the number in E.164 form, as `+4791234567`.' })

const cardToken = z
  .string()
  .regex(/^[\x21-\x7e]+$/, 'expected visible ASCII characters')
  .min(SHORTEST_TOKEN)
  .max(LONGEST_TOKEN)
  .refine((token) => !isMemberToken(token), 'q1. is how a device’s token begins')

const externalId = customerId.refine(
  (value) => !value.startsWith('loy_'),
  'loy_ is how an account’s own id begins',
)
const label = { label: text(LONGEST_LABEL).optional() }

/** How a member is to be recognised. */
export const NewIdentity = z
  .union([
    z.strictObject({ kind: z.literal('external_id'), external_id: externalId, ...label }),
    z.strictObject({ kind: z.literal('phone'), phone, ...label }),
    z.strictObject({ kind: z.literal('phone'), phone_hash: phoneHash, ...label }),
    z.strictObject({ kind: z.literal('card'), token: cardToken.optional(), ...label }),
    z.strictObject({ kind: z.literal('device'), ...label }),
  ])
  .meta({
    id: 'NewIdentity',
    description:
      '`external_id`: your own id of the member; `phone`: kept only as a keyed hash; `card`: a token you give, or a new one; `device`: a secret for the member’s app, which makes QR tokens of it.',
  })

/** One way to recognise a member. */
export const Identity = z
  .object({
    id: id('idn'),
    object: z.literal('member_identity'),
    account: id('loy'),
    kind: z.enum(IDENTITY_KINDS),
    external_id: z.string().optional(),
    label: z.string().nullable(),
    token: z.string().optional().meta({ description: 'Of a card issued here; shown once.' }),
    secret: z
      .string()
      .optional()
      .meta({ description: 'Of a device, 32 bytes in base64url; shown once.' }),
    created_at: time,
    revoked_at: time.nullable(),
    livemode: z.boolean(),
  })
  .meta({ id: 'Identity', description: 'One way to recognise a member at a till.' })

/** An identity as the API shows it: of a phone or a card not even its hash. */
export function presentIdentity(row: IdentityRow, livemode: boolean): z.input<typeof Identity> {
  return {
    id: row.id,
    object: 'member_identity' as const,
    account: row.account,
    kind: row.kind,
    ...(row.kind === 'external_id' && { external_id: row.value }),
    label: row.label,
    created_at: row.createdAt.toISOString(),
    revoked_at: row.revokedAt?.toISOString() ?? null,
    livemode,
  }
}
