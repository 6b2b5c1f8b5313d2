import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import request from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { counted } from '../../api/imports/lines.ts'
import { bulkPostChunk } from '../../db/ledger.gen.ts'
import { newId } from '../../domain/ids.ts'
import { openShop, type Shop } from '../api/shop.ts'
import { startedRun } from '../support/run.ts'

let shop: Shop
let accounts: string[]

beforeAll(async () => {
  shop = await openShop()
  const made = await Promise.all(
    Array.from({ length: 20 }, () => shop.post('/v1/loyalty/accounts')),
  )
  accounts = made.map(({ body }) => body.id)
})
afterAll(async () => {
  const broken = await shop.reconcile()
  await shop.close()
  expect(broken).toEqual([])
})

const IMPORTS = '/v1/loyalty/imports'
const NDJSON = 'application/x-ndjson'

function send(
  body: string | Buffer,
  { type = NDJSON, batch, key }: { type?: string; batch?: string; key?: string } = {},
) {
  const query = batch === undefined ? '' : `?batch=${batch}`
  const sent = request(shop.app)
    .post(`${IMPORTS}${query}`)
    .set('X-Api-Key', shop.keys.secretKey)
    .set('Content-Type', type)
  return (key === undefined ? sent : sent.set('Idempotency-Key', key)).send(body)
}

const ndjson = (rows: object[]) => `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`
const rowsOf = (n: number, more: object = {}) =>
  Array.from({ length: n }, (_, i) => ({
    account: accounts[i % accounts.length],
    amount: i + 1,
    reason: 'legacy',
    ...more,
  }))
const finished = async (path: string) => {
  await expect
    .poll(async () => (await shop.get(path)).body.status, { timeout: 30_000, interval: 100 })
    .toBe('completed')
  return (await shop.get(path)).body
}
const sumOf = async (batch: string) =>
  (
    await shop.owner.query(
      'select count(*)::int as n, coalesce(sum(amount), 0)::int as sum from ptx where batch = $1',
      [batch],
    )
  ).rows[0]
const rowsInAll = async () =>
  (await shop.owner.query('select count(*)::int as n from ptx')).rows[0].n
const balances = async () =>
  (
    await shop.owner.query('select sum(balance)::int as sum from account where id = any ($1)', [
      accounts,
    ])
  ).rows[0].sum

describe('an import', () => {
  it('of NDJSON is checked, written by one workflow under its id, and found by its batch', async () => {
    const { status, body } = await send(ndjson(rowsOf(2_500)), { batch: 'ndjson' })
    expect(status).toBe(201)
    expect(body).toMatchObject({ object: 'import', batch: 'ndjson', total: 2_500, refused: 0 })
    expect((await (await startedRun(shop.engine, body.id)).describe()).type).toBe('bulkRun')
    expect(await finished(`${IMPORTS}/${body.id}`)).toMatchObject({
      posted: 2_500,
      refused: 0,
      refusals: [],
    })
    expect(await sumOf('ndjson')).toEqual({ n: 2_500, sum: (2_500 * 2_501) / 2 })
    expect((await shop.get(`${IMPORTS}?limit=1`)).body.data[0].id).toBe(body.id)
  })

  it('of CSV takes quotes, a byte-order mark, CRLF and metadata columns', async () => {
    const due = new Date(Date.now() + 86_400_000).toISOString()
    const csv = [
      '\uFEFFaccount,amount,reason,metadata.note,expires_at',
      `${accounts[0]},10,"opening, balance","said ""hi""",`,
      `${accounts[1]},-5,correction,,`,
      `${accounts[2]},7,x,,${due}`,
      '',
    ].join('\r\n')
    const { status, body } = await send(csv, { type: 'text/csv; charset=utf-8', batch: 'csv' })
    expect(status).toBe(201)
    expect(await finished(`${IMPORTS}/${body.id}`)).toMatchObject({ posted: 3 })
    const { data } = (await shop.get('/v1/loyalty/transactions?batch=csv')).body
    expect(data.map(({ amount }: { amount: number }) => amount).sort()).toEqual([-5, 10, 7])
    const first = data.find(({ amount }: { amount: number }) => amount === 10)
    expect(first).toMatchObject({ reason: 'opening, balance', metadata: { note: 'said "hi"' } })
  })

  it('sent again under its key is the same one, with another content refused', async () => {
    const body = ndjson(rowsOf(10))
    const first = await send(body, { key: 'once', batch: 'once' })
    const again = await send(body, { key: 'once', batch: 'once' })
    expect([first.status, again.status, again.body.id]).toEqual([201, 200, first.body.id])
    const other = await send(ndjson(rowsOf(11)), { key: 'once', batch: 'once' })
    expect([other.status, other.body.error.code]).toEqual([409, 'idempotency_key_reused'])
    await finished(`${IMPORTS}/${first.body.id}`)
    expect((await sumOf('once')).n).toBe(10)
  })

  it('pauses and goes on; rows written stay, none is written twice', async () => {
    const { body } = await send(ndjson(rowsOf(8_000)), { batch: 'paused' })
    const path = `${IMPORTS}/${body.id}`
    const paused = await shop.post(`${path}/pause`)
    expect([paused.status, paused.body.status]).toEqual([200, 'paused'])
    await expect
      .poll(async () => {
        const before = (await sumOf('paused')).n
        await shop.get(path)
        return before === (await sumOf('paused')).n && before === (await shop.get(path)).body.posted
      })
      .toBe(true)
    expect((await sumOf('paused')).n).toBeLessThan(8_000)
    expect((await shop.post(`${path}/resume`)).body.status).toBe('running')
    expect(await finished(path)).toMatchObject({ posted: 8_000 })
    expect(await sumOf('paused')).toEqual({ n: 8_000, sum: (8_000 * 8_001) / 2 })
    expect((await shop.post(`${path}/pause`)).body.status).toBe('completed')
  })

  it('worked on by many at once, as after a lost worker, writes each row once', async () => {
    const { body } = await send(ndjson(rowsOf(2_000)), { batch: 'crowd' })
    const at = new Date().toISOString()
    const chunks = [0, 1, 2, 3, 3, 2, 1, 0]
    await Promise.all(
      chunks.map((no) =>
        bulkPostChunk(shop.pool, { workspace: shop.workspace, bulk: body.id, no, at }),
      ),
    )
    expect(await finished(`${IMPORTS}/${body.id}`)).toMatchObject({ posted: 2_000 })
    expect(await sumOf('crowd')).toEqual({ n: 2_000, sum: (2_000 * 2_001) / 2 })
  })

  it('canceled drops the rows that wait; those written stay and can be reversed', async () => {
    const { body } = await send(ndjson(rowsOf(8_000)), { batch: 'canceled' })
    const path = `${IMPORTS}/${body.id}`
    await shop.post(`${path}/pause`)
    const canceled = await shop.post(`${path}/cancel`)
    expect([canceled.status, canceled.body.status]).toEqual([200, 'canceled'])
    expect(canceled.body.completed_at).not.toBeNull()
    const ending = await (await startedRun(shop.engine, body.id)).result()
    const { n } = await sumOf('canceled')
    expect(ending).toMatchObject({ bulk: body.id, posted: n, refused: 0 })
    expect(n).toBeLessThan(8_000)
    for (const verb of ['resume', 'pause', 'cancel'])
      expect((await shop.post(`${path}/${verb}`)).body.status).toBe('canceled')
    expect((await sumOf('canceled')).n).toBe(n)
    if (n > 0) expect((await shop.post('/v1/loyalty/batches/canceled/reverse')).status).toBe(201)
  })

  it('with a row that cannot be written writes all the others, and names that one', async () => {
    const id = newId('imp')
    const rows = [
      { line: 1, account: accounts[0], amount: 5 },
      // a date from before such were refused, which the database cannot read
      { line: 2, account: accounts[1], amount: 6, expires_at: '+010000-01-01T04:59:59.000Z' },
      { line: 3, account: accounts[0], amount: -1 },
      { line: 4, account: accounts[2], amount: 7 },
    ].map((row) => ({ reason: 'legacy', metadata: {}, expires_at: null, ...row }))
    await shop.owner.query(
      `insert into bulk (workspace, id, kind, batch, status, total, fingerprint, created_at, progressed_at)
       values ($1, $2, 'import', 'never', 'running', 4, '', now(), now())`,
      [shop.workspace, id],
    )
    await shop.owner.query(
      `insert into bulk_chunk (workspace, bulk, no, rows) values ($1, $2, 0, $3)`,
      [shop.workspace, id, JSON.stringify(rows)],
    )
    await shop.post(`${IMPORTS}/${id}/resume`) // starts its run
    expect(await finished(`${IMPORTS}/${id}`)).toMatchObject({
      posted: 3,
      refused: 1,
      refusals: [{ line: 2, code: 'parameter_invalid' }],
    })
    expect(await sumOf('never')).toEqual({ n: 3, sum: 11 })
  })

  it('with a date beyond the year 9999 in UTC is refused by its line', async () => {
    const never = { account: accounts[0], amount: 5, expires_at: '9999-12-31T23:59:59-05:00' }
    const { status, body } = await send(ndjson([never]))
    expect([status, body.error.errors[0]]).toMatchObject([400, { line: 1, param: 'expires_at' }])
  })

  it('of more bytes than the most ends there', async () => {
    const read = async (bytes: number) => {
      for await (const _ of counted(
        Readable.from([Buffer.alloc(60), Buffer.alloc(bytes - 60)]),
        createHash('sha256'),
        100,
      ));
    }
    await expect(read(100)).resolves.toBeUndefined()
    await expect(read(101)).rejects.toMatchObject({ refusal: { code: 'body_too_large' } })
  })

  it('names rows that the ledger refuses when it comes to them, and writes the others', async () => {
    const poor = (await shop.post('/v1/loyalty/accounts')).body.id
    const { body } = await send(
      ndjson([
        { account: poor, amount: 5 },
        { account: poor, amount: -6 },
        { account: poor, amount: -4 },
      ]),
    )
    expect(await finished(`${IMPORTS}/${body.id}`)).toMatchObject({
      posted: 2,
      refused: 1,
      refusals: [{ line: 2, code: 'insufficient_points' }],
    })
  })
})

describe('a file with something wrong', () => {
  const good = (i: number) => JSON.stringify({ account: accounts[i], amount: 5 })
  const cases: [string, () => string | Buffer, number, string, string?][] = [
    [
      'a broken line in the middle',
      () => `${good(0)}\n{"account":\n${good(1)}\n`,
      2,
      'parameter_invalid',
    ],
    [
      'an unknown account',
      () => `${good(0)}\n${JSON.stringify({ account: 'loy_nobody', amount: 1 })}\n`,
      2,
      'resource_missing',
      'account',
    ],
    [
      'an unknown field',
      () => ndjson([{ account: accounts[0], amount: 1, points: 2 }]),
      1,
      'parameter_unknown',
      'points',
    ],
    [
      '__proto__ among its notes',
      () => `{"account":"${accounts[0]}","amount":1,"metadata":{"__proto__":"x"}}\n`,
      1,
      'parameter_unknown',
      'metadata.__proto__',
    ],
    ['no amount', () => ndjson([{ account: accounts[0] }]), 1, 'parameter_missing', 'amount'],
    [
      'a zero',
      () => ndjson([{ account: accounts[0], amount: 0 }]),
      1,
      'parameter_invalid',
      'amount',
    ],
    [
      'more than 10^12',
      () => ndjson([{ account: accounts[0], amount: 1_000_000_000_001 }]),
      1,
      'parameter_invalid',
      'amount',
    ],
    [
      'too many decimals',
      () => ndjson([{ account: accounts[0], amount: 1.5 }]),
      1,
      'invalid_precision',
      'amount',
    ],
    ['NaN', () => `{"account":"${accounts[0]}","amount":NaN}\n`, 1, 'parameter_invalid'],
    [
      'an amount that is a text',
      () => ndjson([{ account: accounts[0], amount: '5' }]),
      1,
      'parameter_invalid',
      'amount',
    ],
    ['a duplicate row', () => `${good(0)}\n${good(1)}\n${good(0)}\n`, 3, 'parameter_invalid'],
    [
      'the wrong encoding',
      () => Buffer.from(`{"account":"${accounts[0]}","amount":1,"reason":"M\xfcller"}\n`, 'latin1'),
      1,
      'parameter_invalid',
    ],
    ['UTF-16', () => Buffer.from(`\uFEFF${good(0)}`, 'utf16le'), 1, 'parameter_invalid'],
    [
      'an expired date',
      () => ndjson([{ account: accounts[0], amount: 1, expires_at: '2020-01-01T00:00:00Z' }]),
      1,
      'parameter_invalid',
      'expires_at',
    ],
  ]

  it.each(cases)(
    '%s is refused by its line, and nothing is written',
    async (_, file, line, code, param) => {
      const before = await rowsInAll()
      const { status, body } = await send(file())
      expect([status, body.error.code]).toEqual([400, 'parameter_invalid'])
      expect(body.error.error_count).toBe(1)
      expect(body.error.errors).toEqual([
        { line, code, ...(param && { param }), message: expect.any(String) },
      ])
      expect(await rowsInAll()).toBe(before)
    },
  )

  it('says what is wrong with a quote, a separator and a fraction', async () => {
    const wrong = async (file: string, type = 'text/csv') =>
      (await send(file, { type })).body.error.errors[0].message
    const csv = (row: string) => `account,amount,reason\n${accounts[0]},${row}\n`
    expect(await wrong(csv('1,5" screen'))).toMatch(/quote stands inside a field/)
    expect(await wrong(csv('1,"5" screen'))).toMatch(/not doubled/)
    expect(await wrong(`account;amount;reason\n${accounts[0]};1;x\n`)).toBe(
      'The line is no header: columns are separated by a comma (,), and this file has a semicolon.',
    )
    expect(await wrong(`account\tamount\n${accounts[0]}\t1\n`)).toMatch(/comma .* a tab/)
    expect(await wrong(csv('1.000,x'))).toBe('amount: the program has 0 decimals.')
    const line = `{"account":"${accounts[0]}","amount": 1.000,"metadata":{"note":"\\"amount\\": 2.5"}}`
    expect(await wrong(line, NDJSON)).toBe('amount: the program has 0 decimals.')
  })

  it('takes a number inside a text for no fraction, and as many digits as the program has', async () => {
    const note = `{"account":"${accounts[0]}","amount":1,"metadata":{"note":"\\"amount\\": 2.5"}}`
    expect((await send(note)).status).toBe(201)
    const cents = { name: 'Cents', currency: { decimals: 2 } }
    const { id: program } = (await shop.post('/v1/loyalty/programs', cents)).body
    const { id } = (await shop.post('/v1/loyalty/accounts', { program })).body
    const csv = (amount: string) => `account,amount\n${id},${amount}\n`
    const statuses = ['1.50', '2', '1.000'].map(
      async (amount) => (await send(csv(amount), { type: 'text/csv' })).status,
    )
    expect(await Promise.all(statuses)).toEqual([201, 201, 400])
  })

  const header = 'account,amount,reason'
  it.each<[string, () => string, number]>([
    ['a CSV field too many', () => `${header}\n${accounts[0]},1,x,y\n`, 2],
    ['a CSV amount in words', () => `${header}\n${accounts[0]},five,x\n`, 2],
    ['a CSV amount with a comma', () => `${header}\n${accounts[0]},"1,5",x\n`, 2],
    ['CSV quotes that do not close', () => `${header}\n${accounts[0]},1,"x\n`, 2],
    ['a quote inside a CSV field', () => `${header}\n${accounts[0]},1,5,5" screen\n`, 2],
    ['a quote inside a plain CSV field', () => `${header}\n${accounts[0]},1,5" screen\n`, 2],
    ['text behind CSV quotes', () => `${header}\n${accounts[0]},1,"5" screen\n`, 2],
    ['a CSV amount of 1.000', () => `${header}\n${accounts[0]},1.000,x\n`, 2],
    ['a CSV amount of -1.0', () => `${header}\n${accounts[0]},-1.0,x\n`, 2],
    ['two CSV columns of one name', () => `account,amount,amount\n${accounts[0]},1,1\n`, 1],
  ])('%s is refused by its line', async (_, file, line) => {
    const { status, body } = await send(file(), { type: 'text/csv' })
    expect([status, body.error.errors?.[0].line]).toEqual([400, line])
    expect(body.error.message).toMatch(new RegExp(`^Line ${line} is wrong: `))
  })

  it('names every wrong line, up to a hundred', async () => {
    const lines = Array.from({ length: 250 }, (_, i) =>
      i % 2 ? '{' : JSON.stringify({ account: accounts[0], amount: i + 1 }),
    )
    const { body } = await send(`${lines.join('\n')}\n`)
    expect(body.error.error_count).toBe(125)
    expect(body.error.message).toMatch(/^125 lines are wrong, the first is line 2: /)
    expect(body.error.errors.map(({ line }: { line: number }) => line)).toEqual(
      Array.from({ length: 100 }, (_, i) => 2 * i + 2),
    )
  })

  it('is 415 where it is no NDJSON or CSV in UTF-8, and 400 where it is empty', async () => {
    expect((await send('x', { type: 'application/json' })).status).toBe(415)
    expect((await send('x', { type: 'text/csv; charset=iso-8859-1' })).status).toBe(415)
    expect((await send('')).body.error).toMatchObject({ code: 'parameter_invalid', param: 'body' })
    expect((await send('account,amount\n', { type: 'text/csv' })).body.error).toMatchObject({
      param: 'body',
    })
  })
})

describe('the reversal of a batch', () => {
  const reverse = (batch: string, idempotencyKey?: string) =>
    shop.post(`/v1/loyalty/batches/${batch}/reverse`, {}, { idempotencyKey })

  it('undoes imported rows and single postings that carry its tag, once', async () => {
    const before = await balances()
    const { body } = await send(ndjson(rowsOf(3_000)), { batch: 'mistake' })
    await finished(`${IMPORTS}/${body.id}`)
    const single = { account: accounts[0], amount: 77, reason: 'x', metadata: { batch: 'mistake' } }
    await shop.post('/v1/loyalty/transactions', single)
    const first = await reverse('mistake', 'undo')
    expect([first.status, first.body.total]).toEqual([201, 3_001])
    const again = await reverse('mistake', 'undo')
    expect([again.status, again.body.id]).toEqual([200, first.body.id])
    const done = await finished(`/v1/loyalty/batch_reversals/${first.body.id}`)
    expect(done).toMatchObject({ object: 'batch_reversal', posted: 3_001, refused: 0 })
    expect(await balances()).toBe(before)
    const second = await reverse('mistake')
    expect(await finished(`/v1/loyalty/batch_reversals/${second.body.id}`)).toMatchObject({
      posted: 0,
      refused: 0,
    })
    expect(await balances()).toBe(before)
  })

  it('counts and names what cannot be reversed', async () => {
    const program = (
      await shop.post('/v1/loyalty/programs', {
        name: 'Strict',
        clawback: { allow_negative: false },
      })
    ).body.id
    const account = (await shop.post('/v1/loyalty/accounts', { program })).body.id
    const { body } = await send(
      ndjson([
        { account, amount: 100 },
        { account, amount: 50 },
      ]),
      { batch: 'spent' },
    )
    await finished(`${IMPORTS}/${body.id}`)
    await shop.post('/v1/loyalty/transactions', { account, amount: -120, reason: 'spent' })
    const { body: asked } = await reverse('spent')
    const done = await finished(`/v1/loyalty/batch_reversals/${asked.id}`)
    expect(done).toMatchObject({ posted: 0, refused: 2 })
    expect(done.refusals.map(({ code }: { code: string }) => code)).toEqual([
      'insufficient_points',
      'insufficient_points',
    ])
  })

  it('answers a retry with its key as before, whatever imports of the tag are open meanwhile', async () => {
    const { body } = await send(ndjson(rowsOf(3)), { batch: 'tag' })
    await finished(`${IMPORTS}/${body.id}`)
    const first = await reverse('tag', 'undo-tag')
    await finished(`/v1/loyalty/batch_reversals/${first.body.id}`)
    await shop.owner.query(
      `insert into bulk (workspace, id, kind, batch, status, total, fingerprint, created_at, progressed_at)
       values ($1, 'imp_open', 'import', 'tag', 'paused', 1, '', now(), now())`,
      [shop.workspace],
    )
    const again = await reverse('tag', 'undo-tag')
    expect([again.status, again.body.id]).toEqual([200, first.body.id])
    expect((await reverse('tag')).body.error).toMatchObject({
      code: 'not_reversible',
      resource: 'imp_open',
    })
    const other = await reverse('mistake', 'undo-tag')
    expect([other.status, other.body.error.code]).toEqual([409, 'idempotency_key_reused'])
  })

  it('is 404 for a tag that nothing carries', async () => {
    expect((await reverse(newId('op'))).status).toBe(404)
  })
})
