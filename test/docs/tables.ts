import type { ReconcilerFindings } from '../../app/reconciler.ts'
import type { IdPrefix } from '../../domain/ids.ts'
import {
  accountExpiryWorkflowId,
  erasureWorkflowId,
  paymentWorkflowId,
  reportedEventWorkflowId,
  tierReassessmentWorkflowId,
  tierReviewWorkflowId,
  WORKFLOW,
} from '../../temporal/names.ts'
import { SCHEDULES } from '../../temporal/schedules.ts'

/** The tables of docs/ whose rows the code names. `npm run docs` writes them. */

const WORKSPACE = '<workspace>'
const RETURNED = 'the `%_` id that the API returned'
const code = (text: string) => `\`${text}\``
const returned = (prefix: IdPrefix) => RETURNED.replace('%', prefix)

/** Its id, where no schedule says it, and what one run is. */
const TYPES: Readonly<Record<keyof typeof WORKFLOW, [id: string, meaning: string]>> = {
  redemption: [
    returned('rdm'),
    'points held for one reward until a payment settles them or the hold ends',
  ],
  fulfillment: [
    returned('rdm'),
    "one redeemed item until it is shipped or reversed; at its deadline the reward's policy acts",
  ],
  payment: [
    code(paymentWorkflowId(WORKSPACE, '<pay_ id>')),
    'what is left to do for one payment after the request that brought its news: the expiry of an open sandbox payment, points that mature later, or a write that failed and is tried again. A payment with nothing left has no run',
  ],
  accountExpiry: [
    code(accountExpiryWorkflowId(WORKSPACE, '<loy_ id>')),
    'the warnings and expiries of one account, from date to date, until nothing of it expires',
  ],
  tierReview: [
    code(tierReviewWorkflowId(WORKSPACE, '<loy_ id>')),
    "the next date at which one member's tier could fall, and the one after it",
  ],
  tierReassessment: [
    code(tierReassessmentWorkflowId(WORKSPACE, '<prog_ id>')),
    'the walk over all members of a program whose tiers were changed',
  ],
  webhook: [returned('we'), 'the deliveries to one endpoint, as long as some are due'],
  bulkRun: [
    'the `imp_` or `brv_` id that the API returned',
    'one import, or the reversal of one batch, chunk by chunk',
  ],
  erasure: [
    code(erasureWorkflowId(WORKSPACE, '<loy_ id>')),
    'the erasure of one member: it waits for what is under way, removes store by store what says who they are, and searches again',
  ],
  approval: [
    returned('apr'),
    'one command above the limit of whoever asked, until another person answers it or its time is over; half-way it reminds',
  ],
  reportedEvent: [
    code(reportedEventWorkflowId(WORKSPACE, '<eventId>')),
    'one event of a till whose request could not learn what became of it',
  ],
  expiryBatch: [
    '',
    'the points that are due on accounts whose own run does not do it: dates that many share, and imported ones',
  ],
  creditExpiry: [
    '',
    'store credit whose date has come, written off. Nobody waits for it: such credit is not spendable from its date on',
  ],
  ledgerTotals: [
    '',
    'the newest rows of the ledger, added to the daily totals that liability is read from',
  ],
  liabilitySnapshot: ['', 'one event for each program with what it owed at the end of the day'],
  reconciler: ['', 'one check for what should not be there'],
}

/** What was found, what it means, and where to look. */
const KINDS: Readonly<
  Record<keyof ReconcilerFindings, [found: string, meaning: string, look: string]>
> = {
  redemptions: [
    'redemptions past their deadline',
    'runs are missing, terminated or stuck; the points are given back meanwhile',
    "the run of one of them, by its id; the worker's log",
  ],
  fulfillments: [
    'items past their deadline or their next notice',
    'likewise; their notices are sent and they are refunded meanwhile',
    'as for `redemptions`',
  ],
  payments: [
    'open sandbox payments past their expiry',
    'likewise',
    'the run `<workspace>/<pay_ id>`',
  ],
  inbox: [
    'provider events of which nothing came',
    'events are stored, and what follows from them was not done',
    "the API's log for failures of payments and webhooks; the payment's run",
  ],
  earnings: [
    'earnings past the day they mature',
    'runs that wait for points to mature are missing or stuck',
    'the run `<workspace>/<pay_ id>`',
  ],
  tiers: [
    "tier reviews past their date; walks over a program's members that stand still",
    'runs are missing, terminated or stuck',
    'the run `<workspace>/<loy_ id>/tier` or `<workspace>/<prog_ id>/tiers`',
  ],
  expiries: [
    'accounts past their next expiry check, while no batch is at work',
    'the batch of each minute does not run, or some account of it fails',
    'the schedule `expiry-batch-every-minute`; `vinr_failures_total{kind="expiry"}`',
  ],
  webhooks: [
    'endpoints with deliveries overdue and nobody at work',
    'runs of endpoints are missing',
    'the run of the endpoint, by its id',
  ],
  bulks: [
    'imports and reversals that have written nothing for two minutes, and are not paused; files of imports whose process died while it read them',
    'runs are missing or stuck; of dead files, API processes were killed, and what was kept of their files is removed',
    "the run of the import, by its id; the API's restarts",
  ],
  approvals: [
    'approvals past their reminder or their end',
    'runs are missing, terminated or stuck; they are reminded of, and ended, meanwhile',
    'the run of the approval, by its id',
  ],
  outbox: [
    'outbox rows that were not sent for a minute; they are made due at once',
    'nobody sends: Temporal was away, or the processes that had the rows were killed and no sweep runs',
    '`vinr_outbox_waiting`, `vinr_outbox_oldest_seconds`; the log for `outbox` and `temporal_away`',
  ],
}

const SECOND_MS = 1_000
const UNITS = [
  ['day', 86_400 * SECOND_MS],
  ['hour', 3_600 * SECOND_MS],
  ['minute', 60 * SECOND_MS],
] as const

/** `minute`, `15 minutes`, `day`. */
function every(ms: number): string {
  const [unit, unitMs] = UNITS.find(([, each]) => ms % each === 0) ?? ['second', SECOND_MS]
  return ms === unitMs ? unit : `${ms / unitMs} ${unit}s`
}

const table = (head: string[], rows: string[][]): string =>
  [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
    .replaceAll(' --- ', '---')

function idOf(type: string, id: string): string {
  const schedule = SCHEDULES.find(({ workflowType }) => workflowType === type)
  if (schedule === undefined) return id
  return `${code(`${schedule.workflowId}-`)} and the time; started by the schedule ${code(schedule.id)}`
}

/** By the name that stands in the comment before it. */
export const TABLES: Readonly<Record<string, string>> = {
  'workflow types': table(
    ['workflow type', 'its id', 'one of them is'],
    Object.entries(TYPES).map(([name, [id, meaning]]) => {
      const type = WORKFLOW[name as keyof typeof WORKFLOW]
      return [code(type), idOf(type, id), meaning]
    }),
  ),
  'reconciler kinds': table(
    ['kind', 'what was found', 'means', 'look at'],
    Object.entries(KINDS).map(([kind, texts]) => [code(kind), ...texts]),
  ),
  schedules: table(
    ['schedule', 'every', 'starts', 'after an outage, makes up for a start missed by at most'],
    SCHEDULES.map(({ id, everyMs, offsetMs = 0, workflowType, catchupMs }) => [
      code(id),
      `${every(everyMs)}${offsetMs === 0 ? '' : `, ${every(offsetMs).replace(/^minute$/, 'a minute')} after it`}`,
      code(workflowType),
      every(catchupMs).replace(/^(?=[a-z])/, 'a '),
    ]),
  ),
}
