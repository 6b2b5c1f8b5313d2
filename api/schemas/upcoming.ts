import { z } from 'zod'
import type { UpcomingKey, UpcomingRow } from '../../db/upcoming.ts'
import { pointsOf } from '../../domain/points.ts'
import { UPCOMING_KINDS, type UpcomingKind } from '../../domain/upcoming.ts'
import {
  accountExpiryWorkflowId,
  EXPIRY_BATCH_WORKFLOW_ID,
  paymentWorkflowId,
  tierReviewWorkflowId,
  webhookWorkflowId,
} from '../../temporal/names.ts'
import type { Deps } from '../server/deps.ts'
import { points } from './amounts.ts'
import { id } from './ids.ts'
import { time } from './times.ts'

const KEY = new RegExp(`^upc_([0-9a-f]{13})_(${UPCOMING_KINDS.join('|')})_(\\w{1,80})$`)

/** An upcoming act's id: its time, its kind, and the object that it is about. */
export const upcomingId = z
  .string()
  .regex(KEY, 'expected an id that starts with upc_')
  .meta({ example: 'upc_0644aa1d5b2c7_redemption_release_rdm_3kd9' })

/** What will happen by itself. */
export const Upcoming = z
  .object({
    id: upcomingId,
    object: z.literal('upcoming'),
    type: z.enum(UPCOMING_KINDS).meta({
      description:
        '`expiry_check`, of a workspace, is the next expiry or warning of an account, whose own list has each of them.',
    }),
    at: time.meta({ description: 'When it is due; in the past where it is late.' }),
    account: id('loy').nullable(),
    object_id: z.string().meta({
      description: 'The redemption, payment, earning, delivery or account that it is about.',
    }),
    points: points.nullable(),
    workflow: z
      .string()
      .meta({ description: 'The id of the run that does it, in the Temporal UI.' }),
    livemode: z.boolean(),
  })
  .meta({ id: 'Upcoming', description: 'What will happen by itself, when, and by which run.' })

/** What comes as the API shows it; `account` is whose it is by now. */
export async function presentUpcoming(
  { decimals }: Deps,
  { workspace, livemode }: { workspace: string; livemode: boolean },
  rows: readonly UpcomingRow[],
  account?: string,
): Promise<z.input<typeof Upcoming>[]> {
  const decimalsOf = await decimals.ofPrograms(
    workspace,
    rows.flatMap(({ program }) => program ?? []),
  )
  return rows.map((row) => ({
    id: `upc_${row.hex}_${row.kind}_${row.object}`,
    object: 'upcoming',
    type: row.kind,
    at: row.at.toISOString(),
    account: account ?? row.account,
    object_id: row.object,
    points:
      row.points === null || row.program === null
        ? null
        : pointsOf(row.points, decimalsOf(row.program)),
    workflow: WORKFLOW_OF[row.kind](workspace, row),
    livemode,
  }))
}

const ofExpiry = (workspace: string, { object, shared }: UpcomingRow) =>
  shared ? EXPIRY_BATCH_WORKFLOW_ID : accountExpiryWorkflowId(workspace, object)

/** The run of each kind; a date that many accounts share is done by the minute's batch. */
const WORKFLOW_OF: Readonly<Record<UpcomingKind, (workspace: string, row: UpcomingRow) => string>> =
  {
    earning_matures: (workspace, { subject, object }) =>
      paymentWorkflowId(workspace, subject ?? object),
    expiry_check: ofExpiry,
    fulfillment_deadline: (_, { object }) => object,
    payment_expires: (workspace, { object }) => paymentWorkflowId(workspace, object),
    points_expire: ofExpiry,
    points_warning: ofExpiry,
    redemption_release: (_, { object }) => object,
    tier_review: (workspace, { object }) => tierReviewWorkflowId(workspace, object),
    webhook_attempt: (_, { subject, object }) => webhookWorkflowId(subject ?? object),
  }

/** The place that an upcoming act's id says. */
export function upcomingKey(upcoming: string | undefined): UpcomingKey | undefined {
  const [, hex, of, object] = KEY.exec(upcoming ?? '') ?? []
  const kind = UPCOMING_KINDS.find((one) => one === of)
  return hex === undefined || kind === undefined || object === undefined
    ? undefined
    : { hex, kind, object }
}
