import { afterAll, beforeAll, expect, test } from 'vitest'
import { failedAttempts } from '../../app/failed-attempts.ts'
import { attemptsGiveBack, attemptsTake, failuresCount, peopleForget } from '../../db/ledger.gen.ts'
import { signInLimits } from '../../domain/sign-in.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await testDatabase()
})
afterAll(() => db.drop())

const START = Date.UTC(2030, 0)
const DAY_MS = 86_400_000

/** How many guesses are let through from `START` for so long, where the next one comes as soon as it may. */
async function guesses(
  limitsOf: (n: number) => Parameters<typeof attemptsTake>[1]['limits'],
  ms: number,
): Promise<number> {
  let made = 0
  for (let at = START; at < START + ms; ) {
    const waitMs = await attemptsTake(db.pool, { limits: limitsOf(made), at: new Date(at) })
    if (waitMs === 0) made++
    else at += waitMs
  }
  return made
}

test('of a million guesses a day from one address at one account some 1,450 are made', async () => {
  const limits = signInLimits('one@shop.example', '192.0.2.1', undefined)
  const made = await guesses(() => limits, DAY_MS)
  expect(made).toBeGreaterThan(1_400)
  expect(made).toBeLessThan(1_500)
}, 60_000)

test('of a million guesses a day from as many addresses at one account no more are made', async () => {
  const limitsOf = (n: number) => signInLimits('two@shop.example', `2001:db8:${n}::/56`, undefined)
  const made = await guesses(limitsOf, DAY_MS)
  expect(made).toBeLessThan(1_500)
}, 60_000)

test('of a million guesses a day from one address at as many accounts some 1,700 are made', async () => {
  const limitsOf = (n: number) => signInLimits(`${n}@shop.example`, '192.0.2.3', undefined)
  const made = await guesses(limitsOf, DAY_MS)
  expect(made).toBeLessThan(1_800)
}, 60_000)

test('no wait is longer than a minute, however long somebody guessed; and hours later it is as before', async () => {
  const limits = signInLimits('four@shop.example', '192.0.2.4', undefined)
  await guesses(() => limits, DAY_MS / 4)
  const at = new Date(START + DAY_MS / 4)
  expect(await attemptsTake(db.pool, { limits, at })).toBeLessThanOrEqual(60_000)
  const later = new Date(at.getTime() + DAY_MS)
  for (let n = 0; n < 5; n++) expect(await attemptsTake(db.pool, { limits, at: later })).toBe(0)
}, 60_000)

test('a browser that is known is counted by itself', async () => {
  const stranger = signInLimits('five@shop.example', '192.0.2.5', undefined)
  await guesses(() => stranger, 60_000)
  const known = signInLimits('five@shop.example', '192.0.2.6', 'a-cookie')
  expect(await attemptsTake(db.pool, { limits: known, at: new Date(START) })).toBe(0)
})

test('one that succeeded is given back', async () => {
  const limits = signInLimits('six@shop.example', '192.0.2.7', undefined)
  const at = new Date(START)
  for (let n = 0; n < 100; n++) {
    expect(await attemptsTake(db.pool, { limits, at })).toBe(0)
    await attemptsGiveBack(db.pool, { keys: limits.map(({ key }) => key) })
  }
})

test('of many at the same moment no more are made than of one after another', async () => {
  const limits = signInLimits('seven@shop.example', '192.0.2.8', undefined)
  const at = new Date(START)
  const waits = await Promise.all(
    Array.from({ length: 50 }, () => attemptsTake(db.pool, { limits, at })),
  )
  expect(waits.filter((wait) => wait === 0).length).toBeLessThanOrEqual(6)
})

test('failed look-ups are counted together by all processes, each of which learns it by one more failure', async () => {
  const processes = [failedAttempts(db.pool), failedAttempts(db.pool), failedAttempts(db.pool)]
  let missed = 0
  let refused = 0
  for (let n = 0; n < 300; n++) {
    const made = processes[n % 3]?.make('key_1 qr', async () => undefined)
    await made?.then(
      () => missed++,
      (error) => {
        refused++
        expect(error.refusal).toMatchObject({ code: 'too_many_requests' })
        expect(error.refusal.fields.retry_after).toBeGreaterThan(0)
      },
    )
  }
  expect([missed, refused]).toEqual([60, 240])
  const { rows } = await db.owner.query(`select level from attempt where key = 'key_1 qr'`)
  expect(rows).toEqual([{ level: 62 }]) // the process of the sixtieth knew; the two others asked once more
  const [one] = processes
  expect(await one?.make('key_2 qr', async () => 'somebody')).toBe('somebody')
})

test('failures of a minute before are forgotten', async () => {
  const key = 'key_3 qr'
  const count = (at: number) => failuresCount(db.pool, { key, windowMs: 60_000, at: new Date(at) })
  for (let n = 1; n <= 3; n++) expect((await count(START + n))[0]?.failures).toBe(n)
  expect((await count(START + 60_001))[0]?.failures).toBe(1)
})

test('the keys hold neither e-mail nor address in the clear, and are forgotten after two days', async () => {
  const { rows } = await db.owner.query('select key from attempt')
  expect(JSON.stringify(rows)).not.toMatch(/shop\.example|192\.0\.2|2001:db8/)
  await db.owner.query(`update attempt set at = now() - interval '3 days'`)
  expect(await peopleForget(db.pool, { at: new Date() })).toBe(rows.length)
})

test('the application role reads nobody’s password, token or session, and of people only those of its workspace', async () => {
  for (const table of [
    'credential',
    'oidc_identity',
    'session',
    'one_time_token',
    'known_device',
    'attempt',
  ]) {
    await expect(db.pool.query(`select * from ${table}`)).rejects.toThrow(/permission denied/)
  }
  await expect(db.pool.query(`update team_member set name = 'x'`)).rejects.toThrow(
    /permission denied/,
  )
  await db.owner.query(`
    insert into workspace (id, name) values ('ws_1', 'One'), ('ws_2', 'Two');
    insert into team_member (id, email) values ('usr_1', 'a@x'), ('usr_2', 'b@x'), ('usr_3', 'c@x');
    insert into membership (workspace, id, user_id, role, status) values
      ('ws_1', 'mem_1', 'usr_1', 'owner', 'active'), ('ws_2', 'mem_2', 'usr_2', 'owner', 'active')`)
  const client = await db.pool.connect()
  const people = async () => (await client.query('select id from team_member order by 1')).rows
  expect(await people()).toEqual([])
  await client.query(`select set_config('vinr.workspace', 'ws_1', false)`)
  expect(await people()).toEqual([{ id: 'usr_1' }])
  expect((await client.query('select id from membership')).rows).toEqual([{ id: 'mem_1' }])
  client.release(true)
})
