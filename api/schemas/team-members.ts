import { z } from 'zod'
import { ROLES } from '../../domain/roles.ts'
import { MEMBERSHIP_STATUSES } from '../../domain/team-member.ts'
import { id } from './ids.ts'
import { email } from './sessions.ts'
import { time } from './times.ts'

const role = z.enum(ROLES)
const status = z.enum(MEMBERSHIP_STATUSES)

/** How somebody comes in, once. */
const Invitation = z.object({
  token: z.string().nullable().meta({
    description:
      'Shown here alone, where no mail took it; null in a replay. Redeemed by `POST /v1/sessions`.',
  }),
  url: z
    .string()
    .nullable()
    .meta({ description: 'Where `SIGN_IN_URL` is set: the page, with it.' }),
  sent_to: z.string().nullable().meta({ description: 'Whom it was mailed to.' }),
  expires_at: time.nullable(),
})

const fields = {
  id: id('usr'),
  object: z.literal('team_member'),
  email: z.string(),
  name: z.string().nullable().meta({ description: 'Null until they accept.' }),
  status,
  role,
  membership: id('mem'),
  created_at: time.meta({ description: 'When they were invited to this workspace.' }),
  livemode: z.boolean(),
}

export const TeamMember = z.object(fields).meta({ id: 'TeamMember' })
export const InvitedTeamMember = z
  .object({ ...fields, invitation: Invitation })
  .meta({ id: 'InvitedTeamMember' })
export const PasswordReset = z
  .object({ object: z.literal('password_reset'), user: id('usr'), ...Invitation.shape })
  .meta({ id: 'PasswordReset' })

export const NewTeamMember = z.strictObject({ email, role }).meta({ id: 'NewTeamMember' })

export const TeamMemberUpdate = z
  .strictObject({ status: z.enum(['active', 'disabled']) })
  .meta({ id: 'TeamMemberUpdate' })

export const Membership = z
  .object({
    id: id('mem'),
    object: z.literal('membership'),
    user: id('usr'),
    role,
    status,
    invited_by: z
      .object({ type: z.enum(['user', 'api_key']), id: z.string(), name: z.string().nullable() })
      .nullable()
      .meta({ description: 'Null where the command line did.' }),
    created_at: time,
    livemode: z.boolean(),
  })
  .meta({ id: 'Membership' })

export const MembershipUpdate = z.strictObject({ role }).meta({ id: 'MembershipUpdate' })

export const MembershipRemoved = z
  .object({ id: id('mem'), object: z.literal('membership'), deleted: z.literal(true) })
  .meta({ id: 'MembershipRemoved' })
