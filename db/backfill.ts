import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { BackfillTurn } from './results/backfill.ts'

const STORES = ['events', 'inbox', 'attention'] as const
const AT_ONCE = 500 // rows a transaction: some 10 ms
const PROGRESS_MS = 2_000

// Somebody else has a row: whoever serves a request goes first.
const GIVES_WAY = ['55P03', '40P01'] // lock_not_available, deadlock_detected
const GIVEN_WAY_MS = 200

/**
 * Brings rows from before in line, store by store, while the product runs. It may be stopped at any time: the
 * next call goes on behind the last rows that were committed. Says how far it is every two seconds.
 */
export async function backfillRows(
  client: pg.Client,
  onProgress: (line: string) => void,
): Promise<void> {
  for (const store of STORES) {
    let saidAt = Date.now()
    for (let isFirst = true; ; isFirst = false) {
      const { seen, changed, ended } = await turn(client, store)
      const line = `personal data of before, ${store}: ${seen} rows seen, ${changed} changed`
      if (ended) {
        if (!isFirst) onProgress(`${line}, done`)
        break
      }
      if (isFirst || Date.now() - saidAt >= PROGRESS_MS) {
        onProgress(line)
        saidAt = Date.now()
      }
    }
  }
}

async function turn(client: pg.Client, store: (typeof STORES)[number]): Promise<BackfillTurn> {
  for (;;) {
    try {
      const { rows } = await client.query<{ turn: BackfillTurn }>(
        'select ledger.backfill_turn($1, $2) as turn',
        [store, AT_ONCE],
      )
      const [row] = rows
      if (row === undefined) throw new Error('backfill_turn answered no row')
      return row.turn
    } catch (error) {
      const givesWay = error instanceof pg.DatabaseError && GIVES_WAY.includes(error.code ?? '')
      if (!givesWay) throw error
      await delay(GIVEN_WAY_MS)
    }
  }
}
