import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readConfig } from '../../config.ts'
import { ignoredVariables, programsOf } from '../../dev/stack/programs.ts'
import { createAuthority, type Identity } from './certificates.ts'

let folder: string
let one: Identity
let other: Identity
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vinr-settings-'))
  const authority = await createAuthority('ours')
  ;[one, other] = await Promise.all([authority.issue('one.test'), authority.issue('other.test')])
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const read = (environment: Record<string, string> = {}) =>
  readConfig({ DATABASE_URL: 'postgres://db/vinr', ...environment }).temporal

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

it('without a word about it the server is on this machine, and spoken to without TLS', async () => {
  const plain = { address: '127.0.0.1:7233', namespace: 'default', taskQueue: 'engagement' }
  expect(read()).toEqual(plain)
  // what somebody keeps for the command line is not the server's
  await mkdir(join(folder, 'temporalio'))
  await file('temporalio/temporal.toml', '[profile.default]\naddress = "home.test:7233"\n')
  expect(read({ HOME: folder, XDG_CONFIG_HOME: folder })).toEqual(plain)
})

it('an API key means TLS', () => {
  expect(read({ TEMPORAL_API_KEY: 'key' })).toMatchObject({ apiKey: 'key', tls: true })
  expect(read({ TEMPORAL_API_KEY: 'key', TEMPORAL_TLS: 'false' })).toMatchObject({ tls: false })
})

it('a profile of the file gives what no variable does', async () => {
  const path = await file(
    'profiles.toml',
    `[profile.default]
address = "default.test:7233"
[profile.shop]
address = "shop.test:7233"
namespace = "shop"
api_key = "of-the-file"
[profile.shop.tls]
server_name = "front.test"
client_cert_path = '${await file('one.pem', one.certificate)}'
client_key_path = '${await file('one.key', one.key)}'
[profile.shop.grpc_meta]
x-shop = "one"
`,
  )
  expect(read({ TEMPORAL_CONFIG_FILE: path })).toMatchObject({ address: 'default.test:7233' })
  const shop = { TEMPORAL_CONFIG_FILE: path, TEMPORAL_PROFILE: 'shop' }
  const { tls, ...rest } = read({ ...shop, TEMPORAL_NAMESPACE: 'by-variable' })
  expect(rest).toEqual({
    address: 'shop.test:7233',
    namespace: 'by-variable',
    taskQueue: 'engagement',
    apiKey: 'of-the-file',
    metadata: { 'x-shop': 'one' },
  })
  const bytes = (text: string) => new TextEncoder().encode(text)
  expect(tls).toMatchObject({
    serverNameOverride: 'front.test',
    clientCertPair: { crt: bytes(one.certificate), key: bytes(one.key) },
  })
})

it('names each setting that is wrong, at start', async () => {
  const pair = {
    TEMPORAL_TLS_CLIENT_CERT_DATA: one.certificate,
    TEMPORAL_TLS_CLIENT_KEY_DATA: one.key,
  }
  const absent = join(folder, 'absent')
  const plain = await file('default.toml', '[profile.default]\n')
  const misspelt = await file('misspelt.toml', '[profile.default.tls]\nserver_nmae = "x"\n')
  const cases: [Record<string, string>, string][] = [
    [{ TEMPORAL_ADDRESS: 'https://cloud.test:7233' }, 'TEMPORAL_ADDRESS: expected host:port'],
    [{ TEMPORAL_TLS: 'yes' }, 'TEMPORAL_TLS: '],
    [
      { TEMPORAL_TLS_DISABLE_HOST_VERIFICATION: 'true' },
      'TEMPORAL_TLS_DISABLE_HOST_VERIFICATION: ',
    ],
    [{ TEMPORAL_API_KEY: 'key\n' }, 'TEMPORAL_API_KEY: '],
    [{ TEMPORAL_CONFIG_FILE: absent }, 'TEMPORAL_CONFIG_FILE: ENOENT'],
    [{ TEMPORAL_CONFIG_FILE: misspelt }, 'TEMPORAL_CONFIG_FILE: Validation error'],
    [{ TEMPORAL_CONFIG_FILE: plain, TEMPORAL_PROFILE: 'shop' }, "Profile 'shop' not found"],
    [{ TEMPORAL_TLS_SERVER_CA_CERT_PATH: absent }, 'TEMPORAL_TLS_SERVER_CA_CERT_PATH: ENOENT'],
    [
      { TEMPORAL_TLS_SERVER_CA_CERT_DATA: 'x' },
      'TEMPORAL_TLS_SERVER_CA_CERT_DATA: expected a cert',
    ],
    [
      { ...pair, TEMPORAL_TLS_CLIENT_CERT_PATH: absent },
      'TEMPORAL_TLS_CLIENT_CERT_PATH: not together',
    ],
    [{ ...pair, TEMPORAL_TLS_CLIENT_KEY_DATA: '' }, 'TEMPORAL_TLS_CLIENT_KEY: expected with'],
    [{ ...pair, TEMPORAL_TLS_CLIENT_CERT_DATA: '' }, 'TEMPORAL_TLS_CLIENT_CERT: expected with'],
    [
      { ...pair, TEMPORAL_TLS_CLIENT_KEY_DATA: other.key },
      'TEMPORAL_TLS_CLIENT_KEY_DATA: not the key',
    ],
  ]
  for (const [environment, message] of cases) expect(() => read(environment)).toThrow(message)
  const both = { TEMPORAL_TASK_QUEUE: 'x', PORT: 'x', TEMPORAL_API_KEY: 'a b' }
  expect(() => read(both)).toThrow(/PORT: .*\n {2}TEMPORAL_API_KEY: /)
})

it('npm start speaks to its own server without TLS whatever is set for another', () => {
  const secured = {
    TEMPORAL_ADDRESS: 'cloud.test:7233',
    TEMPORAL_API_KEY: 'key',
    TEMPORAL_TLS: 'true',
    TEMPORAL_TLS_SERVER_NAME: 'cloud.test',
    TEMPORAL_CONFIG_FILE: '/absent',
    TEMPORAL_PROFILE: 'cloud',
  }
  expect(ignoredVariables(secured).sort()).toEqual(Object.keys(secured).sort())
  const place = {
    dataDir: folder,
    ports: { postgres: 1, temporal: 7_233, temporalUi: 2, api: 3, workerMetrics: 4 },
    namespace: 'default',
  }
  const urls = { application: 'postgres://db/vinr', worker: 'postgres://db/vinr' }
  const env = { ...secured, GIFT_CODE_KEYS: `a:${Buffer.alloc(32).toString('base64')}` }
  const { api, worker } = programsOf(place, urls, env)
  for (const { env } of [api, worker]) {
    expect(readConfig(env).temporal).toMatchObject({
      address: '127.0.0.1:7233',
      tls: undefined,
      apiKey: undefined,
    })
  }
})
