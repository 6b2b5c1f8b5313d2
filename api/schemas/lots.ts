import { z } from 'zod'
import { type AllocationKey, type AllocationRow, type LotRow, MOST_SPENDS } from '../../db/lots.ts'
import { pointsOf } from '../../domain/points.ts'
import { TRANSACTION_TYPES, transactionObject } from '../../domain/transaction.ts'
import type { Deps } from '../server/deps.ts'
import { points } from './amounts.ts'
import { id } from './ids.ts'
import { time } from './times.ts'
import { Source } from './transactions.ts'

/** An allocation's id: the transactions of its debit, its lot and its cause. */
export const allocationId = z
  .string()
  .regex(/^(ptx_\w{1,60}\.){2}ptx_\w{1,60}$/, 'expected three ids of transactions')
  .meta({ example: 'ptx_7Qd3.ptx_3kd9.ptx_7Qd3' })

/** How much of which lot a debit took. */
export const Allocation = z
  .object({
    id: allocationId.meta({ description: '`debit`, `lot` and `cause`, joined by dots.' }),
    object: z.literal('allocation'),
    debit: id('ptx').meta({ description: 'The transaction that spent the points.' }),
    lot: id('ptx').meta({ description: 'The credit whose points they were.' }),
    cause: id('ptx').meta({
      description:
        'What moved them: the debit itself, a credit that filled its deficit, or the release or reversal that gave them back.',
    }),
    points: points.meta({ description: 'Taken from the lot; negative where given back to it.' }),
    created_at: time,
    livemode: z.boolean(),
  })
  .meta({ id: 'Allocation', description: 'How much of which lot a debit took, or gave back.' })

const LotCredit = z.object({
  transaction: id('ptx'),
  type: z.enum(TRANSACTION_TYPES),
  reason: z.string().nullable(),
  source: Source,
})

const LotDebit = z.object({
  transaction: id('ptx'),
  type: z.enum(TRANSACTION_TYPES),
  redemption: z.string().nullable(),
  points: points.meta({ description: 'Less what it gave back.' }),
  at: time,
})

/** What is left of the points that one credit brought. */
export const Lot = z
  .object({
    id: id('ptx').meta({ description: 'That of the credit.' }),
    object: z.literal('lot'),
    account: id('loy'),
    points,
    remaining: points.meta({ description: 'Nothing once it is due, written off or not.' }),
    earned_at: time,
    expires_at: time
      .nullable()
      .meta({ description: 'As it stands now: activity or a return may have moved it.' }),
    earned_by: LotCredit,
    spent_by: z.array(LotDebit).meta({
      description: `Of the last ${MOST_SPENDS} transactions that took from it those that did not give all back, newest first; its allocations are all of them.`,
    }),
    livemode: z.boolean(),
  })
  .meta({ id: 'Lot', description: 'What is left of the points that one credit brought.' })

type Asker = { workspace: string; livemode: boolean }

export async function presentAllocations(
  { decimals }: Deps,
  { workspace, livemode }: Asker,
  rows: readonly AllocationRow[],
): Promise<z.input<typeof Allocation>[]> {
  const decimalsOf = await decimals.ofPrograms(
    workspace,
    rows.map(({ program }) => program),
  )
  return rows.map(({ debit, lot, cause, amount, program, createdAt }) => ({
    id: `${debit}.${lot}.${cause}`,
    object: 'allocation',
    debit,
    lot,
    cause,
    points: pointsOf(amount, decimalsOf(program)),
    created_at: createdAt.toISOString(),
    livemode,
  }))
}

/** The three transactions that an allocation is known by. */
export function allocationKey(id: string | undefined): AllocationKey | undefined {
  const [debit, lot, cause] = id?.split('.') ?? []
  if (debit === undefined || lot === undefined || cause === undefined) return undefined
  return { debit, lot, cause }
}

export function presentLot(
  row: LotRow,
  scale: { decimals: number; livemode: boolean },
): z.input<typeof Lot> {
  const shown = (units: number) => pointsOf(units, scale.decimals)
  const { id: transaction, type, reason, source } = transactionObject(row.credit, scale)
  return {
    id: row.id,
    object: 'lot',
    account: row.account,
    points: shown(row.points),
    remaining: shown(row.remaining),
    earned_at: row.earnedAt.toISOString(),
    expires_at: row.expiresAt?.toISOString() ?? null,
    earned_by: { transaction, type, reason, source },
    spent_by: row.spends.map((spend) => ({
      transaction: spend.transaction,
      type: spend.type,
      redemption: spend.redemption,
      points: shown(spend.points),
      at: spend.at.toISOString(),
    })),
    livemode: scale.livemode,
  }
}
