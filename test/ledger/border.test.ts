import { afterAll, beforeAll, expect, test } from 'vitest'
import { onCommit } from '../../db/after-commit.ts'
import { AsRun, command } from '../../db/border.ts'
import * as ledger from '../../db/ledger.gen.ts'
import { transact } from '../../db/workspace-client.ts'
import { Refused } from '../../domain/refusal.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'

const workspace = 'ws_border'
let db: TestDatabase

beforeAll(async () => {
  db = await testDatabase()
  await db.owner.query(`
    create function ledger.border_post(p_workspace text, p_rows jsonb, p_more int default 7) returns jsonb
    language plpgsql as $$
    begin
      if p_rows -> 0 ->> 'say' = 'raised' then
        raise exception using errcode = 'VR001', message =
          '{"code": "insufficient_points", "required": 250, "available": 100, "decimals": 2}';
      elsif p_rows -> 0 ->> 'say' = 'refused' then
        return '{"outcome": "refused", "decimals": 1,
          "refusal": {"code": "insufficient_points", "required": 250, "available": 100}}';
      elsif p_rows -> 0 ->> 'say' = 'tried' then
        raise exception using errcode = 'VR002', message = '{"outcome": "posted", "more": 0}';
      end if;
      return jsonb_build_object('outcome', 'posted', 'more', p_more,
        'run', nullif(current_setting('vinr.run', true), ''));
    end $$;
    grant execute on function ledger.border_post(text, jsonb, int) to engagement_app`)
})
afterAll(() => db.drop())

type Posted = { outcome: 'posted'; more: number; run?: string | null }
type Arguments = { workspace: string; rows: { say: string }[]; more?: number }

const borderPost = command<Arguments, Posted>('border_post', ['workspace', 'rows::jsonb', 'more?'])
const saying = (say: string) => ({ workspace, rows: [{ say }] })

test('what has a default in SQL may be left out; each form is a prepared statement of its own', async () => {
  const client = await db.pool.connect()
  expect(await borderPost(client, saying('go'))).toMatchObject({ more: 7 })
  expect(await borderPost(client, { ...saying('go'), more: 8 })).toMatchObject({ more: 8 })
  expect(await borderPost(client, { ...saying('go'), more: 9 })).toMatchObject({ more: 9 })
  const { rows } = await client.query(
    `select name from pg_prepared_statements where name like 'border_post%' order by 1`,
  )
  expect(rows.map(({ name }) => name)).toEqual(['border_post', 'border_post without more'])
  client.release(true)
})

test('a "no" is thrown with points in the program’s decimals, whether it was answered or raised', async () => {
  const thrown = (say: string) =>
    borderPost(db.pool, saying(say)).then(
      () => undefined,
      (error: unknown) => (error instanceof Refused ? error.refusal : error),
    )
  const sentence = 'The account has not enough points.'
  expect(await thrown('refused')).toEqual({
    code: 'insufficient_points',
    message: sentence,
    fields: { required: 25, available: 10 },
  })
  expect(await thrown('raised')).toEqual({
    code: 'insufficient_points',
    message: sentence,
    fields: { required: 2.5, available: 1 },
  })
})

test('a run has the "no" as an answer, in the smallest unit', async () => {
  const refusal = { code: 'insufficient_points', required: 250, available: 100 }
  const answer = (say: string) => borderPost.answer(db.pool, saying(say))
  expect(await answer('refused')).toEqual({ outcome: 'refused', refusal, decimals: 1 })
  expect(await answer('raised')).toEqual({ outcome: 'refused', refusal, decimals: 2 })
})

test('what a function only tried is its answer', async () => {
  expect(await borderPost(db.pool, saying('tried'))).toEqual({ outcome: 'posted', more: 0 })
})

test('another error is thrown as it is', async () => {
  const call = borderPost(db.pool, { ...saying('go'), more: 2 ** 40 })
  await expect(call).rejects.toMatchObject({ code: '22003' })
})

test('a run is named to the function for as long as the statement takes', async () => {
  const run = new AsRun(db.pool, 'redemption/rdm_1')
  expect(await borderPost(run, saying('go'))).toMatchObject({ run: 'redemption/rdm_1' })
  expect(await borderPost(db.pool, saying('go'))).toMatchObject({ run: null })
})

test('in a transaction it is one statement of it, which ends with it', async () => {
  const told: string[] = []
  onCommit(db.pool, (of) => told.push(of))
  await db.owner.query(
    `insert into settings (workspace, entries, updated_at) values ($1, '{"a": 1}', now())`,
    [workspace],
  )
  const change = (to: number) =>
    transact(db.pool, workspace, async (tx) => {
      const at = new Date()
      const { settings } = await ledger.settingsMerge(tx, {
        workspace,
        change: { a: to },
        most: 5,
        at,
      })
      if (to === 3) throw new Error('taken back')
      return settings
    })
  expect(await change(2)).toEqual({ a: 2 })
  await expect(change(3)).rejects.toThrow('taken back')
  expect(await ledger.settingsRead(db.pool, { workspace })).toEqual({ a: 2 })
  expect(told).toEqual([])
})
