import { z } from 'zod'
import { ROLES } from '../../domain/roles.ts'
import { id } from './ids.ts'
import { text } from './text.ts'
import { time } from './times.ts'

const LONGEST_EMAIL = 254
const LONGEST_NAME = 100
const LONGEST_TOKEN = 2_000
const SHORTEST_PASSWORD = 12 // NIST: length is what counts
const LONGEST_PASSWORD = 256

/** Compared in lower case. */
export const email = z
  .string()
  .max(LONGEST_EMAIL)
  .pipe(z.email())
  .transform((address) => address.toLowerCase())
  .meta({ type: 'string', format: 'email', example: 'mira@shop.example' })

export const personName = text(LONGEST_NAME).meta({ example: 'Mira' })

const given = text(LONGEST_PASSWORD)
const newPassword = text(LONGEST_PASSWORD, SHORTEST_PASSWORD).meta({
  description: `${SHORTEST_PASSWORD} characters or more.`,
})

/** What begins a session: a password, a one-time token, or what an OpenID provider answered. */
export const SignIn = z
  .union([
    z.strictObject({ email, password: given }),
    z.strictObject({
      token: text(LONGEST_TOKEN),
      password: newPassword.optional().meta({
        description:
          'Of an invitation or a reset: the new one; of an invitation of somebody who has one, theirs.',
      }),
      name: personName.optional(),
    }),
    z.strictObject({
      code: text(LONGEST_TOKEN),
      state: text(LONGEST_TOKEN),
      iss: text(LONGEST_TOKEN).optional(),
    }),
  ])
  .meta({ id: 'SignIn' })

export const OidcSignIn = z
  .object({ object: z.literal('oidc_sign_in'), authorization_url: z.string() })
  .meta({ id: 'OidcSignIn' })

const User = z.object({ id: id('usr'), email: z.string(), name: z.string().nullable() })

const fields = {
  id: id('ses'),
  object: z.literal('session'),
  user_agent: z.string().nullable(),
  current: z.boolean(),
  last_seen_at: time.meta({ description: 'To the minute, some seconds later.' }),
  expires_at: time,
  created_at: time,
}

export const Session = z.object(fields).meta({ id: 'Session' })

/** The session that asks, with what a page needs to go on. */
export const CurrentSession = z
  .object({
    id: fields.id,
    object: fields.object,
    user: User,
    memberships: z.array(
      z.object({
        id: id('mem'),
        workspace: id('ws'),
        workspace_name: z.string(),
        livemode: z.boolean(),
        role: z.enum(ROLES),
      }),
    ),
    csrf_token: z.string().meta({ description: 'Sent as `Vinr-Csrf-Token` with each write.' }),
    expires_at: time,
  })
  .meta({ id: 'CurrentSession' })

export const SessionEnded = z
  .object({ id: id('ses'), object: z.literal('session'), deleted: z.literal(true) })
  .meta({ id: 'SessionEnded' })

export const SessionsEnded = z
  .object({ object: z.literal('sessions_ended'), count: z.number().int() })
  .meta({ id: 'SessionsEnded' })

export const PersonUpdate = z
  .strictObject({ name: personName.nullable() })
  .meta({ id: 'PersonUpdate' })

export const PasswordChange = z
  .strictObject({ current_password: given, new_password: newPassword })
  .meta({ id: 'PasswordChange' })
