import { expect, test } from 'vitest'
import { readConfig } from '../../config.ts'
import { readServices } from '../../dev/topology/compose-file.ts'
import { COMPOSE_FILE, projectFile, SECRETS } from './files.ts'

const services = readServices(COMPOSE_FILE, SECRETS)
const environmentOf = (name: string) => services[name]?.environment ?? {}

test('.env.example names every variable of the compose file, with its default', () => {
  const used = projectFile('docker-compose.yml').matchAll(/\$\{(\w+)(?::[-?]([^}]*))?\}/g)
  const example = projectFile('.env.example').split('\n')
  for (const [, name = '', rest = ''] of used) {
    if (name === 'VINR_VERSION') continue // set by whoever builds images, not by an operator
    const lines = example.filter((line) => new RegExp(`^#?${name}=`).test(line))
    if (name in SECRETS) expect(lines).toEqual([`${name}=`])
    else expect(lines, name).toEqual([expect.stringMatching(new RegExp(`^#${name}=${rest}`))])
  }
})

test('the API and the worker get everything that config.ts reads', () => {
  const read = [...projectFile('config.ts').matchAll(/^ {2}([A-Z][A-Z_]+): /gm)].map(
    ([, name]) => name,
  )
  const image = [...projectFile('Dockerfile').matchAll(/^ENV (?!PATH=)(\w+)=/gm)].map(
    ([, name]) => name,
  )
  expect(read.length).toBeGreaterThan(10)
  for (const name of ['api', 'worker']) {
    const given = [...Object.keys(environmentOf(name)), ...image]
    expect(new Set(given)).toEqual(new Set([...read, 'NODE_ENV']))
  }
})

test('what .env does not set has the default of config.ts', () => {
  for (const name of ['api', 'worker']) {
    const { DATABASE_URL, TEMPORAL_ADDRESS } = environmentOf(name)
    expect(readConfig(environmentOf(name))).toEqual(readConfig({ DATABASE_URL, TEMPORAL_ADDRESS }))
  }
})

test('what .env sets reaches config.ts', () => {
  const set = {
    HOLD_MINUTES: '0.5',
    REQUEST_LOG_DAYS: '0',
    INBOX_PAYLOAD_DAYS: '7',
    DATABASE_POOL: '4',
    TEMPORAL_TASK_QUEUE: 'other',
    LOG_LEVEL: 'debug',
  }
  const { api } = readServices(COMPOSE_FILE, { ...SECRETS, ...set })
  expect(readConfig(api?.environment)).toMatchObject({
    holdMinutes: 0.5,
    requestLogDays: 0,
    inboxPayloadDays: 7,
    databasePool: 4,
    temporal: { taskQueue: 'other' },
    logLevel: 'debug',
  })
})
