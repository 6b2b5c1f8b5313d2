import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Checks } from '../../app/event-schemas/checks.ts'

const MOST = 500
const SCHEMA = JSON.stringify({
  type: 'object',
  required: ['points'],
  properties: { points: { type: 'integer' } },
})

let checks: Checks
beforeAll(async () => {
  checks = new Checks(pino({ level: 'silent' }), 2)
  await checks.start()
})
afterAll(() => checks.close())

const check = (workspace: string, payload: object) =>
  checks.check({ workspace, key: `${workspace} sale 1`, schema: SCHEMA }, payload)

test('of a workspace 500 payloads wait to be checked; the next is refused, another’s is not, and all that waited are checked', async () => {
  // one is being checked while the others wait
  const waiting = Array.from({ length: 1 + MOST }, (_, points) => check('ws_busy', { points }))
  expect(() => check('ws_busy', { points: 1 })).toThrow(
    expect.objectContaining({ refusal: expect.objectContaining({ code: 'too_many_requests' }) }),
  )
  expect((await check('ws_other', { points: 'many' })).outcome).toBe('invalid')
  const done = await Promise.all(waiting)
  expect(new Set(done.map(({ outcome }) => outcome))).toEqual(new Set(['valid']))
  expect((await check('ws_busy', { points: 1 })).outcome).toBe('valid')
})
