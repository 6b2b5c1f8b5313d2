import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { readConfig } from '../../config.ts'
import { dynamicConfigArgs } from '../../dev/temporal/server.ts'
import { readServices } from '../../dev/topology/compose-file.ts'
import { moduleVersion } from '../../dev/topology/programs.ts'
import { COMPOSE_FILE, projectFile, SECRETS } from './files.ts'

const SERVICES_IN_ONE_PROCESS = 4 // frontend, history, matching, worker: each opens its own pools
const ADMINISTRATION = 10 // the one-shot commands, and a person at night

const services = readServices(COMPOSE_FILE, SECRETS)

test('its tools and its UI are the versions that dev/topology proves', () => {
  const server = moduleVersion('go.temporal.io/server')
  const ui = moduleVersion('github.com/temporalio/ui-server/v2')
  expect(services.temporal?.image).toBe(`temporalio/server:${server}`)
  expect(services['temporal-schema']?.image).toBe(`temporalio/admin-tools:${server}`)
  expect(services['temporal-namespace']?.image).toBe(`temporalio/admin-tools:${server}`)
  expect(services['temporal-ui']?.image).toBe(`temporalio/ui:${ui}`)
})

test('its settings are those that were measured on the embedded one', () => {
  const Settings = z.record(
    z.string(),
    z.tuple([z.object({ value: z.union([z.number(), z.boolean()]) })]),
  )
  const file = Settings.parse(parse(projectFile('deploy/temporal/dynamic-config.yaml')))
  const values = Object.entries(file).map(([name, [{ value }]]) => `${name}=${value}`)
  const measured = dynamicConfigArgs().filter((argument) => !argument.startsWith('--'))
  expect(values.sort()).toEqual(measured.sort())
})

test('Postgres takes all the connections that it, the API and the worker may open', () => {
  const limit = Number(/max_connections=(\d+)/.exec(String(services.postgres?.command))?.[1])
  const pools = [...projectFile('deploy/temporal/server.yaml').matchAll(/maxConns: (\d+)/g)]
  const temporal = pools.reduce((sum, [, most]) => sum + Number(most), 0) * SERVICES_IN_ONE_PROCESS
  const { databasePool } = readConfig(services.api?.environment)
  expect(pools).toHaveLength(2)
  expect(limit).toBeGreaterThanOrEqual(temporal + 2 * databasePool + ADMINISTRATION)
})
