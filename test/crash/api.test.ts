import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { derivedId } from '../../domain/ids.ts'
import { Processes } from '../support/processes.ts'

const ACCOUNT = 'loy_8sd2k1'
const ROUTE = 'POST /v1/loyalty/redemptions'

let all: Processes
let connection: Connection
let client: Client

beforeAll(async () => {
  all = await Processes.start({ holdMinutes: 0.2 }) // 12 s
  connection = await Connection.connect({ address: `127.0.0.1:${all.ports.temporal}` })
  client = new Client({ connection })
})
afterEach(async () => {
  expect(await all.reconcile()).toEqual([])
})
afterAll(async () => {
  await connection.close()
  await all.stop()
})

const idOf = (key: string) => derivedId('rdm', all.workspace, ROUTE, key)
const rowOf = async (key: string) => (await all.redemptions()).find(({ id }) => id === idOf(key))

/** A create that waits for the account's lock, as long as the test holds it. */
async function createWaitingForLock(key: string) {
  const lock = await all.holdAccount(ACCOUNT)
  const answer = all.redeem(key).catch(() => 'connection lost' as const)
  await expect.poll(() => lock.waiters(), { timeout: 20_000 }).toHaveLength(1)
  return { lock, answer }
}

test('the process dies before the commit: nothing was written, the retry with the same key creates it, and its timer stands', async () => {
  const { lock, answer } = await createWaitingForLock('die-then-write')
  const [backend] = await lock.waiters()
  await all.kill('api')
  await all.terminate(backend)
  await lock.release()
  expect(await answer).toBe('connection lost')
  await all.startApi()
  expect(await rowOf('die-then-write')).toBeUndefined()

  expect(await all.redeem('die-then-write')).toMatchObject({
    status: 201,
    replayed: false,
    body: { status: 'pending' },
  })
  await expect
    .poll(() => rowOf('die-then-write'), { timeout: 40_000 })
    .toMatchObject({ status: 'released' })
})

test('the process dies with the commit, its answer and its run’s start unsent: the retry gets the same redemption, and the sweep starts the run', async () => {
  const { lock, answer } = await createWaitingForLock('write-then-die')
  await all.kill('api')
  await lock.release() // the database finishes what it had begun
  expect(await answer).toBe('connection lost')
  await expect.poll(() => rowOf('write-then-die')).toMatchObject({ status: 'pending' })
  await all.startApi()
  expect(await all.redeem('write-then-die')).toMatchObject({
    status: 200,
    replayed: true,
    body: { id: idOf('write-then-die') },
  })
  await expect
    .poll(() => rowOf('write-then-die'), { timeout: 40_000 })
    .toMatchObject({ status: 'released' })
})

test('a refused create leaves nothing behind: no row, no run, no outbox row', async () => {
  const lock = await all.holdAccount('loy_abc123')
  const keys = Array.from({ length: 11 }, (_, index) => `refused-${index}`)
  const eleven = keys.map((key) => all.redeemUntilAnswered(key, 'loy_abc123'))
  await expect
    .poll(async () => (await lock.waiters()).length, { timeout: 20_000 })
    .toBeGreaterThan(0)
  await lock.release()
  const answers = await Promise.all(eleven)
  expect(answers.filter(({ status }) => status < 300)).toHaveLength(10)
  const refused = keys[answers.findIndex(({ status }) => status === 422)] ?? ''
  expect(answers.find(({ status }) => status === 422)?.body).toMatchObject({
    error: { code: 'insufficient_points', missing: 500 },
  })
  expect(await rowOf(refused)).toBeUndefined()
  const outboxRow = 'select from workflow_outbox where workflow_id = $1'
  expect((await all.owner.query(outboxRow, [idOf(refused)])).rowCount).toBe(0)
  await expect(client.workflow.getHandle(idOf(refused)).describe()).rejects.toThrow(
    WorkflowNotFoundError,
  )
})

const opened = (): Socket => connect({ host: '127.0.0.1', port: all.ports.api })

/** All that comes until the other end closes. */
async function readToEnd(socket: Socket): Promise<string> {
  let text = ''
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  await once(socket, 'close')
  return text
}

test('a connection is kept for longer than a load balancer keeps it', async () => {
  const { headers } = await fetch(`http://127.0.0.1:${all.ports.api}/health/live`)
  expect(headers.get('keep-alive')).toBe('timeout=65')
})

test('a request whose headers do not come to their end is given up with 408 after ten seconds', async () => {
  const started = performance.now()
  const slow = opened()
  slow.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\n')
  expect(await readToEnd(slow)).toMatch(/^HTTP\/1\.1 408 /)
  const seconds = (performance.now() - started) / 1_000
  expect(seconds).toBeGreaterThan(9.5)
  expect(seconds).toBeLessThan(25) // looked for every five seconds, on a busy machine
})

test('a thousand connections at once find a place before the process takes one of them, and all are answered', async () => {
  all.signal('api', 'SIGSTOP')
  const sockets = Array.from({ length: 1_000 }, opened)
  try {
    // one that finds no place is tried again by the system, a second later and ever more seldom
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  } finally {
    all.signal('api', 'SIGCONT')
  }
  const answers = sockets.map((socket) => {
    socket.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    return readToEnd(socket)
  })
  for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^HTTP\/1\.1 200 /)
})
