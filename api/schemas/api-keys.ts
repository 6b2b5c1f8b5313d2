import { z } from 'zod'
import { API_KEY_STATUSES } from '../../domain/api-key.ts'
import { ALL_SCOPES, type HeldScope, SCOPES } from '../../domain/scopes.ts'
import { KEY_KINDS } from '../../domain/secrets.ts'
import { id } from './ids.ts'
import { text } from './text.ts'
import { bodyTimeOrNull, time } from './times.ts'

const LONGEST_NAME = 100
const LONGEST_OVERLAP_HOURS = 168

const name = text(LONGEST_NAME).meta({ example: 'Till 3' })

const SCOPES_MEANING =
  '`*` for everything, else `redemptions:read`, `redemptions:write` and so on: a pair for each group of routes. Writing does not imply reading.'

/** What a key may do: everything, or each scope once. */
const scopes = z
  .array(z.enum([ALL_SCOPES, ...SCOPES]))
  .min(1)
  .max(SCOPES.length)
  .refine((all) => new Set(all).size === all.length, 'names a scope twice')
  .refine((all) => !all.includes(ALL_SCOPES) || all.length === 1, 'has * beside others')
  .transform((all): HeldScope[] => all)
  .meta({
    type: 'array',
    items: { type: 'string', enum: [ALL_SCOPES, ...SCOPES] },
    description: SCOPES_MEANING,
    example: ['redemptions:read', 'redemptions:write'],
  })

const CreatedBy = z.object({
  type: z.enum(['user', 'api_key']),
  id: z.string(),
  name: z.string().nullable(),
})

const fields = {
  id: id('key'),
  object: z.literal('api_key'),
  name: z.string().nullable(),
  type: z.enum(KEY_KINDS),
  prefix: z.string().meta({ description: 'What the key begins with.', example: 'sk_test_Ab3d' }),
  last4: z.string().meta({ description: 'What it ends with.' }),
  scopes: z
    .array(z.string())
    .meta({ description: `${SCOPES_MEANING} Empty for a publishable key.` }),
  status: z.enum(API_KEY_STATUSES),
  created_by: CreatedBy.nullable().meta({ description: 'Null where the command line made it.' }),
  last_used_at: time.nullable().meta({ description: 'To the minute, some seconds later.' }),
  expires_at: time.nullable(),
  previous_secret_expires_at: time
    .nullable()
    .meta({ description: 'Until then the secret before the last roll is taken as well.' }),
  revoked_at: time.nullable(),
  created_at: time,
  livemode: z.boolean(),
}

export const ApiKey = z.object(fields).meta({ id: 'ApiKey' })

export const ApiKeyWithSecret = z
  .object({
    ...fields,
    secret: z.string().nullable().meta({
      description: 'The key itself, shown here alone. Null in a replay: it is kept as a hash.',
    }),
  })
  .meta({ id: 'ApiKeyWithSecret' })

export const NewApiKey = z
  .strictObject({
    type: z.enum(KEY_KINDS).default('secret'),
    name: name.optional(),
    scopes: scopes.optional(),
    expires_at: bodyTimeOrNull.optional(),
  })
  .refine(({ type, scopes: given }) => (type === 'publishable') === (given === undefined), {
    error: 'a secret key needs them, and a publishable one has none',
    path: ['scopes'],
  })
  .meta({ id: 'NewApiKey' })

export const ApiKeyUpdate = z
  .strictObject({ name: name.nullable().optional(), scopes: scopes.optional() })
  .meta({ id: 'ApiKeyUpdate' })

export const ApiKeyRoll = z
  .strictObject({
    overlap_hours: z
      .number()
      .min(0)
      .max(LONGEST_OVERLAP_HOURS)
      .default(24)
      .meta({ description: 'How long the old secret is taken beside the new one.' }),
  })
  .meta({ id: 'ApiKeyRoll' })
