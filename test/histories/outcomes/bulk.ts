import { expect } from 'vitest'
import type { NewBulk } from '../../../db/bulk.ts'
import { importLane } from '../../../domain/bulk.ts'
import { newId } from '../../../domain/ids.ts'
import type { House } from '../../support/house.ts'
import { ended } from '../../support/redeem.ts'
import { member, type Outcomes, operation } from './outcome.ts'

const bulk = (house: House, kind: NewBulk['kind'], id: string, batch: string): NewBulk => ({
  workspace: house.workspace,
  id,
  kind,
  batch,
  total: 2,
  fingerprint: 'test',
  createdAt: new Date(),
  progressedAt: new Date(),
})

/** An import of two rows, one of which the ledger refuses. Its id is its batch. */
async function imported(house: House, status?: NewBulk['status']): Promise<string> {
  const id = newId('imp')
  const account = await member(house)
  const rows = [50, -1_000].map((amount, i) => {
    return { line: i + 1, account, amount, reason: 'import', expires_at: null, metadata: {} }
  })
  const chunk = { no: importLane(account), rows: JSON.stringify(rows) }
  const upload = { workspace: house.workspace, id: newId('upl') }
  await house.commands.openUpload(upload, 4)
  await house.commands.keepChunk(upload, chunk)
  await house.commands.createBulk(
    { ...bulk(house, 'import', id, id), status },
    { id: upload.id, chunks: 1, decimals: new Map() },
  )
  return id
}

export const bulkOutcomes: Outcomes = {
  'bulk run of an import': async (house) => imported(house),
  'bulk run of an import that was paused': async (house) => {
    const id = await imported(house, 'paused')
    const run = house.engine.client.workflow.getHandle(id)
    const { workspace } = house
    const request = { workspace, route: 'resume', key: null, ...operation() }
    const looks = async () =>
      (await run.fetchHistory()).events?.filter(
        (event) => event.activityTaskCompletedEventAttributes,
      ).length
    await expect.poll(looks, { timeout: 30_000 }).toBeGreaterThan(0)
    await house.commands.changeBulk(request, 'import', id, 'running')
    return id
  },
  'bulk run of a batch reversal': async (house) => {
    const batch = await imported(house)
    await ended(house, batch)
    const id = newId('brv')
    await house.commands.createBulk(bulk(house, 'reversal', id, batch))
    return id
  },
}
