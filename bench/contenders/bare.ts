import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { Client } from '@temporalio/client'
import { NativeConnection } from '@temporalio/worker'
import pg from 'pg'
import { temporalBinary } from '../../dev/temporal/binary.ts'
import { prepareDatabase } from '../../dev/temporal/database.ts'
import { startTemporal } from '../../dev/temporal/server.ts'
import type { Contender } from '../contender.ts'
import { COST, DEBIT, LEDGER_SCHEMA, POOL_SIZE } from '../ledger.ts'
import { memberId, openLedger } from './peer-ledger.ts'

/**
 * The floor: what create cannot do without, each alone, called from the load's own process with no
 * HTTP between.
 */

/** A delayed start on the embedded server as the product tunes it, without search attributes. */
export const bareStart: Contender = {
  name: 'bare-start',
  title: 'Floor: a delayed workflow start and nothing else, no HTTP',
  start: async (turn) => {
    const binary = await temporalBinary({})
    const dbFile = join(turn.dir, 'temporal.db')
    await prepareDatabase({ binary, dbFile })
    const server = await startTemporal({ binary, dbFile })
    const connection = await NativeConnection.connect({ address: server.address })
    const client = new Client({ connection })
    let started = 0
    return {
      create: async (member) => {
        const workflowId = `rdm_${randomUUID()}`
        await client.workflow.start('redemption', {
          workflowId,
          taskQueue: 'bench',
          args: [{ redemption: workflowId, account: memberId(member) }],
          startDelay: turn.holdMs,
          workflowIdConflictPolicy: 'FAIL',
        })
        started++
        return workflowId
      },
      audit: async () => ({
        debits: started, // it has no ledger
        armed: (await client.workflow.count(`ExecutionStatus = 'Running'`)).count,
      }),
      stop: async () => {
        await connection.close()
        await server.stop()
      },
    }
  },
}

/** The peers' guarded debit, by a pool of their size. */
export const bareDebit: Contender = {
  name: 'bare-debit',
  title: 'Floor: the guarded debit and nothing else, no HTTP',
  start: async (turn) => {
    const pool = new pg.Pool({ connectionString: turn.databaseUrl, max: POOL_SIZE })
    pool.on('error', () => {}) // its server stops before it does, at the end of a turn
    await pool.query(LEDGER_SCHEMA)
    const ledger = openLedger(turn.databaseUrl)
    await ledger.openAccounts(turn.members)
    return {
      create: async (member) => {
        const redemption = `rdm_${randomUUID()}`
        const values = [redemption, memberId(member), COST]
        const result = await pool.query({ ...DEBIT, values })
        if (result.rowCount !== 1) throw new Error(`${redemption} was not debited`)
        return redemption
      },
      audit: async () => ({ debits: await ledger.count('redeem') }),
      stop: async () => {
        await pool.end()
        await ledger.pool.end()
      },
    }
  },
}
