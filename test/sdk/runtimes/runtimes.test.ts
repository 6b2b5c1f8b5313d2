import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openReceiver, type Receiver } from '../../webhooks/receiver.ts'
import { buildSdk } from '../built.ts'
import { type ShopServer, serve } from '../served.ts'
import { findPackage, findProgram } from './found.ts'
import { runInWorkerd } from './serve-workerd.ts'

/** The SDK as it is published, in each runtime it is for, against a real server and a webhook it sent. */

const exec = promisify(execFile)
const LONGEST_MS = 50_000 // a program that does not end is ended before its test is

let folder: string
let shop: ShopServer
let receiver: Receiver
let webhook: { payload: string; signature: string; secret: string }
let runs = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vinr-runtimes-'))
  const built = buildSdk(join(folder, 'sdk'))
  await cp(import.meta.dirname, folder, { recursive: true })
  shop = await serve()
  receiver = await openReceiver()
  const { body } = await shop.post('/v1/webhook_endpoints', { url: receiver.url })
  await shop.post(`/v1/webhook_endpoints/${body.id}/test`, {})
  await receiver.until(1)
  const [sent] = receiver.received
  webhook = {
    payload: sent?.body ?? '',
    signature: String(sent?.headers['x-vinr-signature']),
    secret: body.secret,
  }
  await built
})
afterAll(async () => {
  await rm(folder, { recursive: true })
  await receiver.close()
  await shop.close()
})

const settings = () =>
  JSON.stringify({
    baseUrl: shop.baseUrl,
    secretKey: shop.keys.secretKey,
    webhook,
    run: ++runs,
  })

/** What it printed; it is told nothing by the environment. */
const printed = async (program: string, args: string[]) =>
  (
    await exec(program, args, {
      cwd: folder,
      env: { PATH: process.env.PATH, NO_COLOR: '1' },
      timeout: LONGEST_MS,
    })
  ).stdout

type Runtime = [name: string, run: (() => Promise<string>) | undefined]

function runtime(name: string, program: string, args: string[]): Runtime {
  const path = findProgram(program)
  return [name, path === undefined ? undefined : () => printed(path, [...args, settings()])]
}

const workerd = findProgram('workerd')
const edge = findPackage('edge-runtime')

const RUNTIMES: Runtime[] = [
  ['Node, as a module', () => printed(process.execPath, ['module.mjs', settings()])],
  ['Node, as CommonJS', () => printed(process.execPath, ['common.cjs', settings()])],
  runtime('Deno', 'deno', [
    'run',
    '--no-config',
    '--no-lock',
    '--allow-net',
    '--allow-env',
    'module.mjs',
  ]),
  runtime('Bun', 'bun', ['module.mjs']),
  [
    'workerd (Cloudflare)',
    workerd === undefined ? undefined : () => runInWorkerd(workerd, folder, settings()),
  ],
  [
    'edge-runtime (Vercel)',
    edge === undefined
      ? undefined
      : () => printed(process.execPath, ['edge.mjs', settings(), edge]),
  ],
]

for (const [name, run] of RUNTIMES) {
  test(`verifies webhooks, retries safely, pages, streams and types its errors in ${name}`, async ({
    skip,
  }) => {
    if (run === undefined) {
      const how = `${name} is not installed: npm run runtimes -w @vinr/sdk`
      console.warn(how)
      return skip(how)
    }
    expect(JSON.parse(await run())).toEqual({
      verified: 'webhook_endpoint.test',
      refused: true,
      replayed: true,
      written: 3,
      amounts: [1, 2, 3],
      missing: 'resource_missing',
      requestId: 'string',
    })
  })
}
