import { createHmac, randomBytes } from 'node:crypto'
import { Registry } from 'prom-client'
import request from 'supertest'
import { type PeopleSettings, productApp } from '../../api/server/product.ts'
import { RequestLog } from '../../app/request-log.ts'
import { workspaceCommands } from '../../app/workspaces.ts'
import { newId } from '../../domain/ids.ts'
import { createLog } from '../../process/log.ts'
import { type House, type HouseOptions, LOCAL, openHouse } from '../support/house.ts'

export type Shop = House & {
  app: ReturnType<typeof productApp>
  /** What the API logged. */
  lines: string[]
  /** The API's metrics. */
  registry: Registry
  get(path: string, key?: string): request.Test
  post(
    path: string,
    body?: object,
    options?: { key?: string; idempotencyKey?: string },
  ): request.Test
  patch(path: string, body: object): request.Test
  put(path: string, body: object, key?: string): request.Test
  /** The secret key of another workspace. */
  stranger(): Promise<string>
  delete(path: string, key?: string): request.Test
  /** An event of the sandbox, signed at `at` (unix seconds). */
  webhook(event: object, options?: { secret?: string; at?: number; path?: string }): request.Test
}

/** The whole product in this process: API, worker, Postgres, Temporal; every reply is held against the documentation. */
export async function openShop(
  options: HouseOptions & {
    failedKeysPerMinute?: number
    requestLog?: false
    people?: PeopleSettings
  } = {},
): Promise<Shop> {
  const house = await openHouse(options)
  const lines: string[] = []
  const registry = new Registry()
  const requests = new RequestLog({
    pool: house.pool,
    registry,
    onFailure: (failure) => void house.failures.push(failure),
  })
  const app = productApp(
    {
      pool: house.pool,
      reads: house.reads,
      engine: house.engine,
      holdMinutes: 30,
      allowedAddresses: LOCAL,
      people: options.people ?? {},
      giftCodeKeys: [{ id: 'test', key: randomBytes(32) }],
      log: createLog({ level: 'debug', name: 'api' }, { write: (line) => lines.push(line) }),
      registry,
      version: '0.0.0',
    },
    {
      verifyReplies: true,
      requests: options.requestLog === false ? undefined : requests,
      ...(options.failedKeysPerMinute && { failedKeysPerMinute: options.failedKeysPerMinute }),
    },
  )
  const { secretKey, paymentSecret } = house.keys
  return {
    ...house,
    app,
    lines,
    registry,
    close: async () => {
      await requests.close()
      await house.close()
    },
    get: (path, key = secretKey) => request(app).get(path).set('X-Api-Key', key),
    post: (path, body = {}, { key = secretKey, idempotencyKey } = {}) => {
      const sent = request(app).post(path).set('X-Api-Key', key)
      return (
        idempotencyKey === undefined ? sent : sent.set('Idempotency-Key', idempotencyKey)
      ).send(body)
    },
    delete: (path, key = secretKey) => request(app).delete(path).set('X-Api-Key', key),
    put: (path, body, key = secretKey) => request(app).put(path).set('X-Api-Key', key).send(body),
    stranger: async () => {
      const { createWorkspace } = workspaceCommands({ pool: house.pool })
      return (await createWorkspace(newId('ws'), 'Another shop', false)).secretKey
    },
    patch: (path, body) => request(app).patch(path).set('X-Api-Key', secretKey).send(body),
    webhook: (
      event,
      { secret = paymentSecret, at = Math.floor(Date.now() / 1_000), path } = {},
    ) => {
      const body = JSON.stringify(event)
      const digest = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')
      return request(app)
        .post(path ?? '/v1/webhooks/payments/sandbox')
        .set('Content-Type', 'application/json')
        .set('x-vinr-signature', `t=${at},v1=${digest}`)
        .send(body)
    },
  }
}
