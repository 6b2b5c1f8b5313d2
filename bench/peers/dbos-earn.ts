import { DBOS } from '@dbos-inc/dbos-sdk'
import { POOL_SIZE } from '../ledger.ts'
import { serveEarning } from './earn-front.ts'
import { createTables, earn, type PaidEvent } from './earn-ledger.ts'
import { required } from './environment.ts'

/** Points for a payment on DBOS: a workflow under the event's id, whose one step writes them. */
async function earnPoints(event: PaidEvent): Promise<void> {
  await DBOS.runStep(() => earn(event), { name: 'earn' })
}

const earning = DBOS.registerWorkflow(earnPoints, { name: 'earn-points' })

await createTables()
DBOS.setConfig({
  name: 'bench',
  systemDatabaseUrl: required('DATABASE_URL'),
  systemDatabasePoolSize: POOL_SIZE,
  logLevel: 'warn',
})
await DBOS.launch()

serveEarning(async (event) => {
  await DBOS.startWorkflow(earning, { workflowID: event.id })(event)
})
