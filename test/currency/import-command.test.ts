import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bar } from '../../cli/import-file.ts'
import { type ShopServer, serve } from '../sdk/served.ts'

let shop: ShopServer
let folder: string
let accounts: string[]

beforeAll(async () => {
  shop = await serve()
  folder = await mkdtemp(join(tmpdir(), 'import-command-'))
  const made = await Promise.all(Array.from({ length: 5 }, () => shop.post('/v1/loyalty/accounts')))
  accounts = made.map(({ body }) => body.id)
})
afterAll(async () => {
  const broken = await shop.reconcile()
  await shop.close()
  await rm(folder, { recursive: true, force: true })
  expect(broken).toEqual([])
})

const COMMAND = new URL('../../cli/vinr.js', import.meta.url).pathname

type Command = { child: ChildProcess; output(): string; code: Promise<number | null> }

function start(...args: string[]): Command {
  const child = spawn(process.execPath, [COMMAND, 'import', ...args], {
    env: {
      ...process.env,
      VINR_BASE_URL: shop.baseUrl,
      VINR_SECRET_KEY: shop.keys.secretKey,
    },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  return { child, output: () => output, code: once(child, 'close').then(([code]) => code) }
}

const run = async (...args: string[]) => {
  const command = start(...args)
  return { code: await command.code, output: command.output() }
}
const file = async (name: string, content: string | Buffer) => {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}
const csv = (rows: string[]) => ['account,amount,reason', ...rows, ''].join('\n')
const rowsOf = async (batch: string) =>
  (await shop.owner.query('select count(*)::int as n from ptx where batch = $1', [batch])).rows[0].n
const rowsInAll = async () =>
  (await shop.owner.query('select count(*)::int as n from ptx')).rows[0].n

describe('npm run import', () => {
  it('sends a file with a byte-order mark and CRLF, and follows it to its end', async () => {
    const lines = accounts.map((account, i) => `${account},${i + 1},opening`)
    const path = await file('good.csv', `\uFEFF${csv(lines).replaceAll('\n', '\r\n')}`)
    const { code, output } = await run(path, '--batch', 'good')
    expect(output).toMatch(/imp_\w+: 5 rows are good, batch good\n.*5 rows written, 0 refused/s)
    expect([code, await rowsOf('good')]).toEqual([0, 5])
  })

  it('run again with the same file and tag writes nothing again; another key does', async () => {
    const path = await file('twice.csv', csv([`${accounts[0]},1,x`]))
    const first = await run(path, '--batch', 'twice')
    await shop.post(`/v1/loyalty/accounts/${accounts[0]}/close`) // no matter: it was judged when it was new
    const again = await run(path, '--batch', 'twice')
    await shop.post(`/v1/loyalty/accounts/${accounts[0]}/reopen`)
    expect([again.output, again.code]).toEqual([first.output, 0])
    expect(await rowsOf('twice')).toBe(1)
    await run(path, '--batch', 'twice', '--key', 'once more')
    expect(await rowsOf('twice')).toBe(2)
  })

  it.each<[string, string, () => string | Buffer, RegExp]>([
    [
      'a broken line in the middle',
      'broken.ndjson',
      () =>
        `{"account":"${accounts[0]}","amount":1}\n{"account":\n{"account":"${accounts[1]}","amount":1}\n`,
      /Line 2 is wrong.*\n {2}line 2: The line is not JSON/,
    ],
    [
      'another encoding',
      'latin.csv',
      () => Buffer.from(csv([`${accounts[0]},1,M\xfcller`]), 'latin1'),
      / {2}line 2: The line is not UTF-8/,
    ],
    [
      'duplicates',
      'duplicates.csv',
      () => csv([`${accounts[0]},1,x`, `${accounts[1]},1,x`, `${accounts[0]},1,x`]),
      / {2}line 4: The same as line 2/,
    ],
    [
      'nobody’s account',
      'nobody.csv',
      () => csv(['loy_nobody,1,x']),
      / {2}line 2: No such account/,
    ],
  ])('names the line of %s, writes nothing and fails', async (_, name, content, message) => {
    const before = await rowsInAll()
    const { code, output } = await run(await file(name, content()))
    expect(output).toMatch(message)
    expect([code, await rowsInAll()]).toEqual([1, before])
  })

  it('prints twenty wrong lines and how many more there are', async () => {
    const { output } = await run(await file('many.ndjson', '{\n'.repeat(50)))
    expect(output.match(/ {2}line \d+/g)).toHaveLength(20)
    expect(output).toContain('and 30 more')
  })

  it('names rows that the ledger refused when it came to them, and fails', async () => {
    const account = (await shop.post('/v1/loyalty/accounts')).body.id
    const { code, output } = await run(
      await file('poor.csv', csv([`${account},5,x`, `${account},-9,x`])),
    )
    expect(output).toMatch(/line 3: insufficient_points\n.*1 rows written, 1 refused/)
    expect(code).toBe(1)
  })

  it('stopped by Ctrl-C while rows are written, and run again, follows the same import to its end', async () => {
    const path = await file('stopped.csv', csv(accounts.map((account) => `${account},7,x`)))
    const lock = await shop.owner.connect()
    await lock.query('select pg_advisory_lock(hashtextextended($1, 0))', [
      shop.workspace + accounts[0],
    ])
    const first = start(path, '--batch', 'stopped')
    await expect.poll(first.output, { timeout: 30_000 }).toContain('5 rows are good')
    first.child.kill('SIGINT')
    expect(await first.code).toBe(130)
    expect(first.output()).toContain('Run the same command again to follow it.')
    await lock.query('select pg_advisory_unlock_all()')
    lock.release()
    const second = await run(path, '--batch', 'stopped')
    expect(second.output).toMatch(/5 rows written, 0 refused/)
    const [id] = first.output().match(/imp_\w+/) ?? []
    expect(second.output).toContain(`${id}: 5 rows are good`)
    expect([second.code, await rowsOf('stopped')]).toEqual([0, 5])
  })

  it('says how it is used where the file is none that can be imported', async () => {
    expect(await run('file.xlsx')).toMatchObject({
      code: 1,
      output: expect.stringMatching(/file\.xlsx.* must be named .*\n\nUsage: vinr import /),
    })
    expect((await run()).code).toBe(1)
  })
})

describe('the progress bar', () => {
  it.each<[number, number, string]>([
    [0, 1_000, 'running    [..............................] 0% 0/1000'],
    [505, 1_000, 'running    [###############...............] 50% 505/1000'],
    [999, 1_000, 'running    [#############################.] 99% 999/1000'],
    [1_000, 1_000, 'running    [##############################] 100% 1000/1000'],
    [0, 0, 'running    [##############################] 100% 0/0'],
  ])('at %i of %i is not fuller than it should be', (done, total, expected) => {
    expect(bar('running', done, total)).toBe(expected)
  })
})
