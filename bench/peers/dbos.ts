import { DBOS } from '@dbos-inc/dbos-sdk'
import { POOL_SIZE } from '../ledger.ts'
import { HOLD_MS, required } from './environment.ts'
import { type Peer, serve } from './front.ts'
import { apply, createTables, debit, release } from './ledger.ts'

/**
 * Three ways to hold points on DBOS, chosen by VARIANT:
 * - sleep: one workflow debits as a step, sleeps durably, releases;
 * - armed: a delayed release is put in a queue, then the request debits;
 * - pay: one workflow debits, waits for a message of the payment or the deadline, settles.
 *
 * A request learns the step's outcome from the workflow in the same process, in memory. DBOS's own
 * `setEvent` and `getEvent` do it across processes and cost it half of its throughput here.
 */

const QUEUE = 'releases'
const TOPIC = 'payment'

const listeners = new Map<string, (held: Promise<boolean>) => void>()

async function debitStep(redemption: string, account: string): Promise<boolean> {
  const held = DBOS.runStep(() => debit(redemption, account), { name: 'debit' })
  listeners.get(redemption)?.(held)
  return await held
}

async function releaseStep(redemption: string): Promise<void> {
  await DBOS.runStep(() => release(redemption), { name: 'release' })
}

async function holdThenRelease(redemption: string, account: string): Promise<void> {
  if (!(await debitStep(redemption, account))) return
  await DBOS.sleep(HOLD_MS)
  await releaseStep(redemption)
}

async function holdUntilPaid(redemption: string, account: string): Promise<void> {
  if (!(await debitStep(redemption, account))) return
  const event = await DBOS.recv<string>(TOPIC, { timeoutSeconds: HOLD_MS / 1_000 })
  if (event === null) await releaseStep(redemption)
  else await DBOS.runStep(() => apply(redemption), { name: 'apply' })
}

const sleeping = DBOS.registerWorkflow(holdThenRelease, { name: 'hold-then-release' })
const paying = DBOS.registerWorkflow(holdUntilPaid, { name: 'hold-until-paid' })
const releasing = DBOS.registerWorkflow(releaseStep, { name: 'release' })

function startsWorkflow(workflow: typeof sleeping): Peer['create'] {
  return async (redemption, account) => {
    const held = new Promise<boolean>((resolve) => listeners.set(redemption, resolve))
    await DBOS.startWorkflow(workflow, { workflowID: redemption })(redemption, account)
    const answer = await held
    listeners.delete(redemption)
    return answer
  }
}

const peers: Record<string, Peer> = {
  sleep: { create: startsWorkflow(sleeping) },
  armed: {
    create: async (redemption, account) => {
      const enqueueOptions = { delaySeconds: HOLD_MS / 1_000 }
      const params = { workflowID: redemption, queueName: QUEUE, enqueueOptions }
      await DBOS.startWorkflow(releasing, params)(redemption)
      return await debit(redemption, account)
    },
  },
  pay: {
    create: startsWorkflow(paying),
    pay: (redemption, event) => DBOS.send(redemption, event, TOPIC, event),
  },
}

await createTables()
DBOS.setConfig({
  name: 'bench',
  systemDatabaseUrl: required('DATABASE_URL'),
  systemDatabasePoolSize: POOL_SIZE,
  logLevel: 'warn',
})
await DBOS.launch()
await DBOS.registerQueue(QUEUE)

const peer = peers[required('VARIANT')]
if (peer === undefined) throw new Error('VARIANT is none of sleep, armed, pay')
serve(peer)
