import { execFile } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import request from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { STACK_DATABASE, type StackDatabase } from '../../db/command-database.ts'
import { seedRule } from '../../dev/demo.ts'
import { openShop, type Shop } from '../api/shop.ts'
import { earningIn } from './earn.ts'

const SECRET = 'whsec_a1c4e7d20b6f9385'
const STRIPE = '/v1/webhooks/payments/stripe'
const addressIn = (output: string) => output.trim().split(' ').at(-1) ?? ''
const CUSTOMER = 'cus_QxYzStripeMember' // the fixture's
const PROJECT = new URL('../../', import.meta.url).pathname

let shop: Shop
let dataDir: string
beforeAll(async () => {
  shop = await openShop()
  await seedRule(shop.pool, shop.workspace)
  dataDir = await mkdtemp(join(tmpdir(), 'vinr-commands-'))
  const { url: DATABASE_URL, ownerUrl: MIGRATION_DATABASE_URL, workspace } = shop
  const stack: StackDatabase = { DATABASE_URL, MIGRATION_DATABASE_URL, workspace }
  await writeFile(join(dataDir, STACK_DATABASE), JSON.stringify(stack))
})
afterAll(async () => {
  const broken = await shop.reconcile()
  await shop.close()
  await rm(dataDir, { recursive: true })
  expect(broken).toEqual([])
})

/** Runs a command as npm would, with nothing in the environment but what is given. */
async function run(args: string[], env: NodeJS.ProcessEnv = { DATA_DIR: dataDir }) {
  const { PATH, HOME } = process.env
  const options = { cwd: PROJECT, env: { PATH, HOME, ...env } }
  try {
    const { stdout } = await promisify(execFile)('cli/vinr.js', args, options)
    return { code: 0, output: stdout }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, output: stdout + stderr }
  }
}
const provider = (args: string[], env: NodeJS.ProcessEnv = { DATA_DIR: dataDir }) =>
  run(['payment-provider', ...args], { PAYMENT_SECRET: SECRET, ...env })

/** Stripe's event of a payment, signed as Stripe does. */
async function paid(address: string, secret = SECRET) {
  const file = new URL('stripe/payment_intent.succeeded.json', import.meta.url)
  const created = Math.floor(Date.now() / 1_000)
  const body = JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), created })
  const digest = createHmac('sha256', secret).update(`${created}.${body}`).digest('hex')
  return await request(shop.app)
    .post(address)
    .set('Content-Type', 'application/json')
    .set('Stripe-Signature', `t=${created},v1=${digest}`)
    .send(body)
}

// a hundred wrong signatures a minute are answered, and no more
const SELDOM = { timeout: 20_000, interval: 500 }

describe('npm run payment-provider beside npm start', () => {
  it('lets Stripe speak for the demo shop, with no database and no workspace named', async () => {
    const { body: member } = await shop.post('/v1/loyalty/accounts', { customer: CUSTOMER })
    const { code, output } = await provider(['stripe'])
    expect([code, output]).toEqual([
      0,
      expect.stringMatching(
        `^stripe may speak for ${shop.workspace} within seconds: POST ${STRIPE}/whs_\\w+\n$`,
      ),
    ])
    expect((await paid(addressIn(output))).status).toBe(200)
    expect((await paid(STRIPE)).status).toBe(400)
    expect((await provider(['stripe'])).output).toBe(output)
    await earningIn(shop).processed('pay_pi_3Q5xJ2LkdIwHu7ix0AbCdEfG')
    const { body } = await shop.get(`/v1/loyalty/accounts/${member.id}`)
    expect(body.balance).toBe(42)
  })

  it('rolls an endpoint’s secret, which keeps its address and knows its events', async () => {
    const address = addressIn((await provider(['stripe'])).output)
    const endpoint = address.slice(STRIPE.length + 1)
    const PAYMENT_SECRET = 'whsec_rolled'
    const roll = (...more: string[]) =>
      provider(['--roll', endpoint, ...more], { DATA_DIR: dataDir, PAYMENT_SECRET })
    expect(await roll()).toEqual({
      code: 0,
      output: `${endpoint} takes the new secret within seconds, the one before for 24 hours: POST ${address}\n`,
    })
    expect((await roll()).code).toBe(0)
    const taken = async (secret: string) => (await paid(address, secret)).body
    await expect.poll(() => taken(PAYMENT_SECRET), SELDOM).toMatchObject({ duplicate: true })
    expect(await taken(SECRET)).toMatchObject({ duplicate: true })
    const PAYMENT_SECRET_AFTER = 'whsec_rolled_again'
    const env = { DATA_DIR: dataDir, PAYMENT_SECRET: PAYMENT_SECRET_AFTER }
    await provider(['--roll', endpoint, '--overlap-hours', '0'], env)
    await expect.poll(async () => (await paid(address, PAYMENT_SECRET)).status, SELDOM).toBe(400)
    expect((await paid(address, SECRET)).status).toBe(200) // its day is not over
    expect(await taken(PAYMENT_SECRET_AFTER)).toMatchObject({ duplicate: true })
  })

  it('says where the workspace has no endpoint of that id', async () => {
    const { code, output } = await provider(['--roll', 'whs_nobody'])
    expect([code, output]).toEqual([1, `${shop.workspace} has no endpoint whs_nobody.\n`])
  })

  it('takes the workspace that is named, and says where there is none of that name', async () => {
    expect((await provider([shop.workspace, 'sandbox'])).code).toBe(0)
    const { code, output } = await provider(['ws_nowhere', 'stripe'])
    expect([code, output]).toEqual([1, 'There is no workspace ws_nowhere.\n'])
  })

  it('without a stack and without DATABASE_URL says what is missing', async () => {
    const env = { DATA_DIR: join(dataDir, 'nothing') }
    const { code, output } = await provider(['stripe'], env)
    expect(code).toBe(1)
    expect(output).toMatch(/^DATABASE_URL is not set, and there is no .*database.json/)
  })

  it('with a DATABASE_URL wants the workspace, too', async () => {
    const { code, output } = await provider(['stripe'], { DATABASE_URL: shop.url })
    expect(code).toBe(1)
    expect(output).toBe('With a DATABASE_URL the workspace must be named.\n')
  })
})

describe('the other commands beside npm start', () => {
  it('npm run reconcile proves the books of the stack', async () => {
    const proved = await run(['reconcile'])
    expect(proved).toEqual({ code: 0, output: 'The books hold.\n' })
  })

  it('npm run workspace makes a key that the API takes', async () => {
    const { output } = await run(['workspace', 'key', shop.workspace])
    expect((await shop.get('/v1/payments', JSON.parse(output).key)).status).toBe(200)
  })

  it.each([
    ['test', [], /^[sp]k_test_/],
    ['live', ['--live'], /^[sp]k_live_/],
  ])('npm run workspace makes keys of the mode of a %s workspace', async (_mode, flags, form) => {
    const created = await run(['workspace', 'create', 'Another', ...flags])
    const { workspace } = JSON.parse(created.output)
    for (const kind of [[], ['--publishable']]) {
      const { output } = await run(['workspace', 'key', workspace, ...kind])
      expect(JSON.parse(output).key).toMatch(form)
    }
    const asked = await run(['workspace', 'key', workspace, '--live'])
    expect([asked.code, asked.output]).toEqual([1, expect.stringContaining('--live')])
  })
})
