import { z } from 'zod'
import { inPoints, missing } from '../../app/refusals.ts'
import { retryOnConflict } from '../../app/retry-on-conflict.ts'
import { movementUnits } from '../../app/units.ts'
import { databaseNow } from '../../db/clock.ts'
import { readTransaction } from '../../db/from-ledger.ts'
import { findPrograms } from '../../db/programs.ts'
import { isPosted } from '../../db/transactions.ts'
import { Refused, refuse } from '../../domain/refusal.ts'
import { NewTransaction, presentTransactions, Transaction } from '../schemas/transactions.ts'
import { endpoint } from '../server/endpoint.ts'

const MOST = 1_000

const TransactionBatch = z
  .strictObject({ transactions: z.array(NewTransaction).min(1).max(MOST) })
  .meta({ id: 'TransactionBatch' })

const Posted = z
  .object({ object: z.literal('list'), data: z.array(Transaction) })
  .meta({ id: 'PostedTransactions', description: 'In the order they were sent.' })

export const createTransactions = endpoint({
  method: 'POST',
  path: '/v1/loyalty/transactions/batch',
  summary: 'Adjust points of many members at once',
  description: `Up to ${MOST}, all of them or none; a refusal names its row in \`param\`.`,
  tags: ['transactions'],
  key: 'secret',
  body: TransactionBatch,
  bodyLimit: '4mb',
  reply: Posted,
  successCodes: [201, 200],
  errors: [
    'resource_missing',
    'insufficient_points',
    'account_closed',
    'invalid_precision',
    'idempotency_key_reused',
  ],
  handle: async (ctx) => {
    const { workspace, body, operation, fingerprint, deps } = ctx
    const now = await databaseNow(deps.pool)
    const isRepeat =
      body.transactions.some((row) => isPast(row, now)) &&
      (await isPosted(deps.pool, workspace, `${operation}:0`)) // its first row; all are written, or none
    const accounts = body.transactions.map(({ account }) => account)
    const rowIn = (programOf: Programs, row: z.output<typeof NewTransaction>, index: number) => {
      const at = `transactions.${index}`
      const program = programOf.get(row.account)
      if (program === undefined) return missing(`${at}.account`, row.account)
      if (isPast(row, now) && !isRepeat) {
        const param = `${at}.expires_at`
        refuse('parameter_invalid', `${param}: must be in the future.`, { param })
      }
      return {
        account: row.account,
        amount: movementUnits(`${at}.amount`, row.amount, program.decimals, program.rounding),
        decimals: program.decimals,
        reason: row.reason,
        expires_at: row.expires_at?.toISOString() ?? null,
        metadata: row.metadata,
      }
    }
    // the programs are read at each try: their decimals may change until their first transaction
    const { result, rows } = await retryOnConflict(async () => {
      const programOf = await findPrograms(deps.pool, workspace, accounts)
      const rows = body.transactions.map((row, index) => rowIn(programOf, row, index))
      const batch = { workspace, operation, fingerprint, at: now.toISOString(), rows }
      return { result: await deps.commands.postTransactions(batch), rows }
    })
    if (result.refusal !== undefined) {
      const index = Number(/\d+/.exec(String(result.refusal.param))?.[0])
      throw new Refused(inPoints(result.refusal, rows[index]?.decimals ?? 0))
    }
    const posted = (result.transactions ?? []).map(readTransaction)
    const replayed = result.outcome === 'replayed'
    if (replayed && posted.some((row) => row.fingerprint !== fingerprint)) {
      refuse('idempotency_key_reused', 'This Idempotency-Key was used with another request.')
    }
    const data = await presentTransactions(deps, ctx, posted)
    return { status: 'created', replayed, object: { object: 'list' as const, data } }
  },
})

type Programs = Awaited<ReturnType<typeof findPrograms>>

const isPast = ({ expires_at }: { expires_at?: Date }, now: Date): boolean =>
  expires_at !== undefined && expires_at <= now
