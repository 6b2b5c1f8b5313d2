import type { Settlement } from '../../../activities/redemption.ts'
import { newId } from '../../../domain/ids.ts'
import type { RedemptionFacts } from '../../../domain/redemption-summary.ts'
import { WORKFLOW } from '../../../temporal/names.ts'
import { sendRow } from '../../../temporal/outbox-call.ts'
import { cancel, created, rowChanged } from '../../../workflows/messages.ts'
import { eventsOf, inMs, openWorkflows, outboxRow, waiting } from '../../workflows/stand-ins.ts'
import { type Outcomes, operation } from './outcome.ts'

type WorkflowsServer = Awaited<ReturnType<typeof openWorkflows>>
type Answer = () => unknown
type Activities = Record<string, Answer[]>

/** Begins a run by a row, with activities that answer so one after the other, and takes it to its end. */
function byRow(
  type: string,
  { input, facts, activities = {} }: { input: object; facts: object; activities?: Activities },
  goOn: (
    run: ReturnType<typeof handleOf>,
    opened: WorkflowsServer,
  ) => Promise<unknown> = async () => {},
) {
  return async (): Promise<string> => {
    const opened = await openWorkflows(
      Object.fromEntries(
        Object.entries(activities).map(([name, answers]) => [
          name,
          async () => {
            const next = answers.shift()
            if (next === undefined) throw new Error(`${name} was called once too often`)
            return next()
          },
        ]),
      ),
    )
    const id = newId('run')
    const row = { workflow_id: id, workflow_type: type, facts: { ...facts }, revision: 5 }
    await sendRow(opened.engine, outboxRow({ ...row, input: { ...input, redemption: id } }))
    const run = handleOf(opened, id)
    await goOn(run, opened)
    await run.handle.result()
    await opened.close()
    return id
  }
}

const handleOf = ({ engine }: WorkflowsServer, id: string) => {
  const handle = engine.client.workflow.getHandle(id)
  return {
    handle,
    signal: (revision: number, facts: object) => handle.signal(rowChanged, { revision, facts }),
    /** Resolves once its history has such an event so often. */
    until: async (event: string, times = 1) => {
      while ((await eventsOf(engine, id)).filter((one) => one === event).length < times) {
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
  }
}

const about = { workspace: 'ws_1', account: 'loy_1', reward: 'rwd_1' }
const held = { ...about, releasesAt: inMs(1_800_000) }
const item = { ...about, deadline: inMs(1_000) }
const away: Answer = () => {
  throw new Error('the database is away')
}
const says =
  (facts: Partial<RedemptionFacts>, outcome = 'settled') =>
  (): Settlement => ({ outcome, facts: waiting(facts) })
const shipping = (more: object) => ({
  status: 'fulfillment_pending' as const,
  fulfillment: {
    items: 1,
    shipped: 0,
    canceled: 0,
    parcel: null,
    refunds: false,
    notices: 0,
    nextAt: inMs(0),
    ...more,
  },
})
const applied = { status: 'applied' as const, payment: 'pay_1', paymentStatus: 'completed' }

/** Runs that are started and signalled by rows. */
export const rowOutcomes: Outcomes = {
  'redemption by its row, told that it was applied': byRow(
    WORKFLOW.redemption,
    { input: held, facts: waiting() },
    ({ signal }) => signal(6, waiting(applied)),
  ),
  'redemption by its row, ended before it was begun': byRow(WORKFLOW.redemption, {
    input: held,
    facts: waiting(applied),
  }),
  'redemption by its row, released at its deadline': byRow(WORKFLOW.redemption, {
    input: held,
    facts: waiting({ expiresAt: inMs(500) }),
    activities: { releaseDueRedemption: [says({ status: 'released', reason: 'expired' })] },
  }),
  'redemption by its row, released once the database was back': byRow(WORKFLOW.redemption, {
    input: held,
    facts: waiting({ expiresAt: inMs(0) }),
    activities: {
      releaseDueRedemption: [away, away, away, away, says({ status: 'released' })],
    },
  }),
  'redemption by its row, told of its end while the database is away': byRow(
    WORKFLOW.redemption,
    {
      input: held,
      facts: waiting({ expiresAt: inMs(0) }),
      activities: { releaseDueRedemption: Array.from({ length: 20 }, () => away) },
    },
    async ({ signal, until }) => {
      await until('ACTIVITY_TASK_SCHEDULED')
      await signal(6, waiting(applied))
    },
  ),
  'redemption by its row, applied by its run after its cancel was refused': byRow(
    WORKFLOW.redemption,
    {
      input: held,
      facts: waiting({ payment: 'pay_1', paymentStatus: 'processing' }),
      activities: {
        cancelRedemption: [says({ payment: 'pay_1' }, 'refused')],
        applyRedemption: [says(applied, 'applied')],
      },
    },
    async ({ handle, signal, until }) => {
      await handle.cancel()
      await until('TIMER_STARTED', 2)
      await signal(6, waiting({ payment: 'pay_1', paymentStatus: 'completed' }))
    },
  ),
  'redemption by its row, cancelled by an API of the release before': byRow(
    WORKFLOW.redemption,
    {
      input: held,
      facts: waiting(),
      activities: {
        cancelRedemption: [says({ status: 'released' }, 'released')],
        releaseDueRedemption: [says({}, 'not_due')],
      },
    },
    async ({ handle, until }) => {
      await until('TIMER_STARTED')
      await handle.signal(created)
      await until('TIMER_STARTED', 2)
      await handle.executeUpdate(cancel, {
        args: [{ ...operation(), reason: 'changed_mind' }],
      })
    },
  ),
  'fulfillment by its row, noticed twice, then shipped': byRow(
    WORKFLOW.fulfillment,
    {
      input: item,
      facts: waiting(shipping({})),
      activities: {
        actOnOverdueFulfillment: [
          () => says(shipping({ notices: 1, nextAt: inMs(500) }))(),
          () => says(shipping({ notices: 2, nextAt: inMs(86_400_000) }))(),
        ],
      },
    },
    async ({ signal, until }) => {
      await until('TIMER_STARTED', 2)
      await signal(6, waiting({ status: 'fulfilled' }))
    },
  ),
  'payment by its row, finished for a request that failed, then expired': byRow(WORKFLOW.payment, {
    input: { workspace: 'ws_1', payment: 'pay_1', expiresAt: inMs(1_000) },
    facts: {
      status: 'requires_payment',
      expiresAt: inMs(1_000),
      maturesAt: null,
      unfinished: true,
    },
    activities: {
      processPayment: [
        () => ({ found: true, status: 'requires_payment', expiresAt: inMs(500), maturesAt: null }),
      ],
      expirePayment: [() => ({ found: true, status: 'expired', expiresAt: inMs(0) })],
    },
  }),
  'account expiry by its row, brought forward': byRow(
    WORKFLOW.accountExpiry,
    {
      input: { workspace: 'ws_1', account: 'loy_1', wakesAt: inMs(86_400_000) },
      facts: { wakesAt: inMs(86_400_000), shared: false },
      activities: {
        lookAtExpiry: [
          () => ({ wakesAt: inMs(400), shared: false, story: 'Warned.' }),
          () => ({ wakesAt: null, shared: false, story: 'Expired.' }),
        ],
      },
    },
    ({ signal }) => signal(6, { wakesAt: inMs(200), shared: false }),
  ),
  'tier review by its row, brought forward': byRow(
    WORKFLOW.tierReview,
    {
      input: { workspace: 'ws_1', account: 'loy_1', reviewsAt: inMs(86_400_000) },
      facts: { reviewsAt: inMs(86_400_000) },
      activities: { reviewTier: [() => ({ tier: 'Bronze', reviewAt: null })] },
    },
    ({ signal }) => signal(6, { reviewsAt: inMs(200) }),
  ),
  'bulk run by its row, paused, resumed and canceled': byRow(
    WORKFLOW.bulkRun,
    {
      input: { workspace: 'ws_1', bulk: 'imp_1' },
      facts: { status: 'paused' },
      activities: { workOnBulk: [() => ({ status: 'paused', total: 9, posted: 3, refused: 1 })] },
    },
    async ({ signal, until }) => {
      await signal(6, { status: 'running' })
      await until('ACTIVITY_TASK_COMPLETED')
      await signal(7, { status: 'canceled' })
    },
  ),
  'tier reassessment by its row, told of a change on the way': byRow(
    WORKFLOW.tierReassessment,
    {
      input: { workspace: 'ws_1', program: 'prog_1' },
      facts: {},
      activities: {
        reassessTiers: [() => new Promise((resolve) => setTimeout(resolve, 500, TURN)), () => TURN],
      },
    },
    async ({ signal, until }) => {
      await until('ACTIVITY_TASK_SCHEDULED')
      await signal(6, {})
    },
  ),
  'webhook endpoint by its row, signalled, then gone': byRow(
    WORKFLOW.webhook,
    {
      input: { workspace: 'ws_1', endpoint: 'we_1' },
      facts: {},
      activities: {
        deliverDue: [
          () => ({ state: 'resting', nextInMs: null, nextAt: null }),
          () => ({ state: 'gone', nextInMs: null, nextAt: null }),
        ],
      },
    },
    async ({ signal, until }) => {
      await until('ACTIVITY_TASK_COMPLETED')
      await signal(6, {})
    },
  ),
  'event by its row, done once the database was back': byRow(WORKFLOW.reportedEvent, {
    input: { workspace: 'ws_1', eventId: 'till-1', type: 'purchase', user: 'u_1' },
    facts: {},
    activities: { reportEvent: [away, away, away, () => ({ outcome: 'missing' })] },
  }),
}

const TURN = { ended: true, judged: 3, changed: 1 }
