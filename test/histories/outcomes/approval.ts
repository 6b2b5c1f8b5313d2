import { expect } from 'vitest'
import { approvalClose, approvalRequest } from '../../../db/ledger.gen.ts'
import { newId } from '../../../domain/ids.ts'
import type { House } from '../../support/house.ts'
import type { Outcomes } from './outcome.ts'

const actor = { type: 'user', id: 'usr_support', name: null } as const

async function asked({ pool, workspace, engine }: House, ms: number): Promise<string> {
  const id = newId('apr')
  const at = new Date()
  await approvalRequest(pool, {
    workspace,
    id,
    kind: 'adjustment',
    account: 'loy_9f2k',
    batch: null,
    reason: 'goodwill',
    command: { operation: newId('op'), single: true, rows: [] },
    effect: { points: 6_000, credited: 6_000, debited: 0, accounts: 1, rows: 1 },
    ceiling: 5_000,
    fingerprint: 'none',
    actor,
    at,
    expiresAt: new Date(at.getTime() + ms),
  })
  const { workflow } = engine.client
  await expect
    .poll(() =>
      workflow
        .getHandle(id)
        .describe()
        .catch(() => null),
    )
    .not.toBeNull()
  return id
}

export const approvalOutcomes: Outcomes = {
  'approval reminded of, then expired': (house: House) => asked(house, 6_000),
  'approval told that it was declined': async (house: House) => {
    const id = await asked(house, 3_600_000)
    const { pool, workspace } = house
    const status = 'declined' as const
    await approvalClose(pool, { workspace, id, status, actor, note: null, at: new Date() })
    return id
  },
}
