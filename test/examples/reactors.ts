import type { Book } from './book.ts'

const TYPES = '/v1/event_types'
const REACTORS = '/v1/reactors'
const DRY_RUN = `POST ${REACTORS}/{id}/dry_run`

/** What tills may report, and what follows. */
export async function reactors(book: Book): Promise<void> {
  await eventTypes(book)
  const { ask } = book
  const redeem = await ask(`POST ${REACTORS}`, 'Redeem points', {
    body: {
      name: 'Redeem points',
      trigger: 'REDEEMED_POINTS',
      reactions: [{ type: 'adjust_points', points: '$.points * -1' }],
    },
  })
  await ask(`POST ${REACTORS}`, 'An expression that ends too early', {
    body: {
      name: 'Redeem points',
      trigger: 'REDEEMED_POINTS',
      reactions: [{ type: 'adjust_points', points: '$.points *' }],
    },
    refused: 400,
  })
  const thanks = await ask(`POST ${REACTORS}`, 'Thanks for a good rating, once a day', {
    body: {
      name: 'Thanks',
      trigger: 'VISIT_RATED',
      conditions: ['$.stars >= 4', '$.storeId in ["OSL-1", "BGO-1"]'],
      reactions: [
        { type: 'adjust_points', points: 10 },
        { type: 'emit_event', event: 'thanks.given', payload: { stars: '$.stars' } },
      ],
      limits: { per_user: { activations: 1, window: 'day' } },
    },
  })
  await ask(`POST ${REACTORS}`, 'Five euros off for a bad day', {
    body: {
      name: 'Sorry',
      trigger: 'VISIT_RATED',
      conditions: '$.stars <= 2',
      reactions: [{ type: 'issue_reward', reward: 'rwd_fivecredit' }],
      limits: { per_user: { activations: 1, window: 'month' } },
    },
  })
  await ask('POST /v1/events', 'A bad day: a reward for nothing', {
    body: {
      type: 'VISIT_RATED',
      user: 'loy_8sd2k1',
      eventId: 'terminal-3/2026-05-12/0007',
      payload: { stars: 1, storeId: 'OSL-1' },
    },
  })
  const path = { id: thanks.id }
  await ask(`GET ${REACTORS}/{id}`, 'A reactor', { path })
  await ask(`PATCH ${REACTORS}/{id}`, 'Twice the points, switched off', {
    path,
    body: { reactions: [{ type: 'adjust_points', points: 20 }], active: false },
  })
  await ask(`GET ${REACTORS}`, 'Of an event type', { query: { trigger: 'VISIT_RATED' } })
  const user = 'loy_8sd2k1'
  await ask(DRY_RUN, 'It would act, were it on', {
    path,
    body: { user, payload: { stars: 5, storeId: 'OSL-1' } },
  })
  await ask(DRY_RUN, 'A sale', {
    path: { id: redeem.id },
    body: { user, payload: { points: 500 } },
  })
  await ask(`DELETE ${REACTORS}/{id}`, 'Deleted', { path })
}

async function eventTypes({ ask }: Book): Promise<void> {
  await ask(`POST ${TYPES}`, 'Points redeemed at a till', {
    body: {
      name: 'REDEEMED_POINTS',
      schema: {
        type: 'object',
        properties: {
          points: { type: 'integer', minimum: 1 },
          transactionId: { type: 'string', maxLength: 40 },
        },
        required: ['points'],
      },
    },
  })
  await ask(`POST ${TYPES}`, "A type of the platform's own", {
    body: { name: 'payment.completed' },
    refused: 403,
  })
  await ask(`POST ${TYPES}`, 'Asks for personal data', {
    body: {
      name: 'SIGNED_UP',
      schema: { type: 'object', properties: { email: { type: 'string' } } },
    },
    refused: 400,
  })
  await ask(`POST ${TYPES}`, 'A visit rated', {
    body: { name: 'VISIT_RATED', description: 'By the member, on the terminal' },
  })
  await ask(`PATCH ${TYPES}/{id}`, 'A schema for it', {
    path: { id: 'VISIT_RATED' },
    body: {
      schema: {
        type: 'object',
        properties: {
          stars: { type: 'integer', minimum: 1, maximum: 5 },
          storeId: { type: 'string', maxLength: 40 },
        },
        required: ['stars', 'storeId'],
        additionalProperties: false,
      },
    },
  })
  await ask(`GET ${TYPES}/{id}`, 'By its name, with its versions', { path: { id: 'VISIT_RATED' } })
  await ask(`GET ${TYPES}`, 'The newest', { query: { limit: 1 } })
}
