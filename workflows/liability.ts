import { proxyActivities, setCurrentDetails } from '@temporalio/workflow'
import type { LiabilityActivities } from '../activities/liability.ts'

const { rollUpLedger, snapshotLiability } = proxyActivities<LiabilityActivities>({
  startToCloseTimeout: '5m', // the first count of a long history; every later one is a moment
  retry: { initialInterval: '1s', maximumAttempts: 5 },
})

/** Adds the ledger's newest rows to the daily totals, from which liability is read. */
export async function ledgerTotals(): Promise<{ totals: number }> {
  return { totals: await rollUpLedger() }
}

/** One liability snapshot for each program and day, as an event; a repeat writes none again. */
export async function liabilitySnapshot(): Promise<{ snapshots: number }> {
  const midnight = `${new Date().toISOString().slice(0, 10)}T00:00:00.000Z`
  const snapshots = await snapshotLiability({ midnight })
  setCurrentDetails(`${snapshots} snapshots as of ${midnight}.`)
  return { snapshots }
}
