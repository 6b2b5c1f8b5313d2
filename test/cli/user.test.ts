import { spawn } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newEmail, PASSWORD, signIn } from '../api/people.ts'
import { type ShopServer, serve } from '../sdk/served.ts'

const PROJECT = new URL('../../', import.meta.url).pathname

let shop: ShopServer
beforeAll(async () => {
  shop = await serve()
})
afterAll(() => shop.close())

/** Runs the command with a line on its standard input. */
function vinr(
  args: string[],
  line = '',
): Promise<{ code: number | null; out: string; err: string }> {
  const { PATH, HOME } = process.env
  const env = { PATH, HOME, DATA_DIR: '/nowhere', DATABASE_URL: shop.url }
  const child = spawn('cli/vinr.js', ['user', ...args], { cwd: PROJECT, env })
  child.stdin.end(`${line}\n`)
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })))
}

const password = 'the first of the owner'

test('the first owner is invited, accepts at the command line and signs in; a reset gives another password', async () => {
  const email = newEmail()
  const invited = await vinr(['invite', email, shop.workspace, '--owner'])
  expect([invited.code, invited.err]).toEqual([0, ''])
  const { token, kind, redeem } = JSON.parse(invited.out)
  expect([kind, redeem]).toEqual(['invitation', `vinr user accept ${token}`])

  const accept = ['accept', token, '--name', 'Mira', '--url', shop.baseUrl]
  const short = await vinr(accept, 'short')
  expect([short.code, short.err]).toEqual([1, expect.stringContaining('password')])
  const accepted = await vinr(accept, password)
  expect([accepted.code, accepted.out]).toEqual([0, expect.stringContaining('sign in')])
  const { body } = await signIn(shop, { email, password })
  expect(body).toMatchObject({ user: { name: 'Mira' }, memberships: [{ role: 'owner' }] })

  const twice = await vinr(['invite', email, shop.workspace])
  expect([twice.code, twice.err]).toEqual([1, `${email} is of ${shop.workspace} already.\n`])
  const reset = await vinr(['reset', email])
  const again = ['accept', JSON.parse(reset.out).token, '--url', shop.baseUrl]
  expect((await vinr(again, PASSWORD)).code).toBe(0)
  expect((await signIn(shop, { email, password: PASSWORD })).status).toBe(201)
})

test.each([
  [['reset', 'nobody@shop.example'], 'Nobody has the e-mail nobody@shop.example.'],
  [['invite', 'a@shop.example', 'ws_nobody'], 'There is no workspace ws_nobody.'],
  [['invite', 'a@shop.example'], 'With a DATABASE_URL the workspace must be named.'],
  [['accept', 'token'], 'Name the server: --url, or VINR_BASE_URL.'],
])('says on one line why not: %j', async (args, message) => {
  expect(await vinr(args)).toEqual({ code: 1, out: '', err: `${message}\n` })
})
