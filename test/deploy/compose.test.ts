import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import {
  interpolated,
  readServices,
  readYaml,
  runsOnce,
  startOrder,
} from '../../dev/topology/compose-file.ts'
import { COMPOSE_FILE, projectFile, SECRETS, userOfImage } from './files.ts'

const services = readServices(COMPOSE_FILE, SECRETS)
const each = Object.entries(services)
const lasting = each.filter(([, service]) => !runsOnce(service))

test('the file is a compose file by the specification, as written and with its variables put in', () => {
  const schema: unknown = JSON.parse(projectFile('test/deploy/compose-spec/schema.json'))
  const validate = new Ajv2020({ strict: false, allErrors: true }).compile(Object(schema))
  for (const compose of [readYaml(COMPOSE_FILE), interpolated(readYaml(COMPOSE_FILE), SECRETS)]) {
    expect(validate(compose), JSON.stringify(validate.errors, null, 2)).toBe(true)
  }
  const wrong = { services: { api: { image: 'x', depends_on: { db: { condition: 'up' } } } } }
  expect(validate(wrong)).toBe(false)
})

describe('every service', () => {
  test.each(each)(
    '%s cannot become root, nor write to its image, nor fill memory or disk',
    (_name, service) => {
      expect(service).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        logging: { options: { 'max-size': expect.any(String), 'max-file': expect.any(String) } },
        mem_limit: expect.stringMatching(/^\d+[mg]$/),
      })
      expect(service.build === undefined ? service.user : userOfImage()).toMatch(/^(?!root|0\b).+/)
    },
  )

  test.each(lasting)('%s comes back by itself and says whether it is well', (_name, service) => {
    expect(service.restart).toBe('unless-stopped')
    expect(service.healthcheck?.test?.[0]).toBe('CMD')
  })

  test('waits for what it needs to be healthy, or done', () => {
    expect(startOrder(services)).toHaveLength(each.length)
    for (const [name, { depends_on }] of each) {
      for (const [needed, { condition }] of Object.entries(depends_on)) {
        const dependency = services[needed]
        const must =
          dependency && runsOnce(dependency) ? 'service_completed_successfully' : 'service_healthy'
        expect(condition, `${name} needs ${needed}`).toBe(must)
      }
    }
  })

  test('publishes its port to this machine alone', () => {
    const ports = each.flatMap(([, service]) => service.ports)
    expect(ports).toHaveLength(2)
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
  })
})

describe('secrets', () => {
  const holders = (secret: string) =>
    each
      .filter(([, service]) => JSON.stringify(service.environment).includes(secret))
      .map(([name]) => name)

  test('come from variables that must be set, and have no default', () => {
    for (const name of Object.keys(SECRETS)) {
      expect(() => readServices(COMPOSE_FILE, { ...SECRETS, [name]: '' })).toThrow(
        `${name} is required`,
      )
    }
  })

  test('are nowhere written out', () => {
    const marked = Object.values(SECRETS)
    for (const [name, { environment }] of each) {
      for (const [key, value] of Object.entries(environment)) {
        const password = value.startsWith('postgres://') ? new URL(value).password : undefined
        const secret = password ?? (/PASSWORD|SECRET|TOKEN|_KEY$/.test(key) ? value : undefined)
        if (secret) expect(marked, `${name} ${key}`).toContain(secret)
      }
    }
  })

  test('of the administrator and of the owner are seen by their one-shot commands alone', () => {
    expect(holders(SECRETS.POSTGRES_PASSWORD)).toEqual(['postgres', 'databases'])
    expect(holders(SECRETS.OWNER_DATABASE_PASSWORD)).toEqual(['databases', 'migrate'])
  })

  test('of the worker’s role is not the API’s, nor the API’s the worker’s', () => {
    const roleOf = (name: string) =>
      new URL(services[name]?.environment.DATABASE_URL ?? '').username
    expect([roleOf('api'), roleOf('worker')]).toEqual(['vinr_app', 'vinr_worker'])
    const once = ['databases', 'migrate']
    expect(holders(SECRETS.APP_DATABASE_PASSWORD)).toEqual([...once, 'api'])
    expect(holders(SECRETS.WORKER_DATABASE_PASSWORD)).toEqual([...once, 'worker'])
    const { WORKER_DATABASE_URL } = services.migrate?.environment ?? {}
    expect(WORKER_DATABASE_URL).toBe(services.worker?.environment.DATABASE_URL)
  })
})
