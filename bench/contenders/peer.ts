import { randomUUID } from 'node:crypto'
import type { Audit, Contender, Running, Turn } from '../contender.ts'
import { type HttpClient, openClient } from '../http.ts'
import { startPeer } from '../peer-process.ts'
import { memberId, openLedger, type PeerLedger } from './peer-ledger.ts'

/** What a peer needs beside its process, such as a server. */
export interface Surroundings {
  env: Record<string, string>
  /** Timers that are armed there; where absent, `armedQuery` counts them in Postgres. */
  armed?(): Promise<number>
  stop(): Promise<void>
}

interface PeerOptions {
  name: string
  title: string
  /** The file in `bench/peers`. */
  process: string
  variant?: string
  /** Counts the timers that are armed: one row, one column `n`. */
  armedQuery?: string
  /** Whether this variant settles what a payment completes. */
  takesPayments?: boolean
  surroundings?(turn: Turn): Promise<Surroundings>
}

const NOTHING: Surroundings = { env: {}, stop: async () => {} }

/** A peer behind the shared HTTP front. */
export function peer(options: PeerOptions): Contender {
  return {
    name: options.name,
    title: options.title,
    start: async (turn) => {
      const surroundings = (await options.surroundings?.(turn)) ?? NOTHING
      try {
        return await startBeside(surroundings, options, turn)
      } catch (error) {
        await surroundings.stop()
        throw error
      }
    },
  }
}

async function startBeside(
  surroundings: Surroundings,
  options: PeerOptions,
  turn: Turn,
): Promise<Running> {
  const child = await startPeer(options.process, turn.dir, {
    ...surroundings.env,
    DATABASE_URL: turn.databaseUrl,
    HOLD_MS: String(turn.holdMs),
    VARIANT: options.variant ?? '',
  })
  const ledger = openLedger(turn.databaseUrl)
  const client = openClient(child.origin)
  await ledger.openAccounts(turn.members)
  return {
    create: async (member) => {
      const body = { account: memberId(member), reward: 'rwd_fivecredit' }
      const key = { 'idempotency-key': randomUUID() }
      const created = (await client.post('/v1/loyalty/redemptions', body, key)) as { id: string }
      return created.id
    },
    pay: options.takesPayments ? (redemption) => pay(client, redemption) : undefined,
    applied: (redemptions) => ledger.among('apply', redemptions),
    released: (redemptions) => ledger.among('release', redemptions),
    audit: () => audit(ledger, surroundings, options.armedQuery),
    stop: async () => {
      client.close()
      await ledger.pool.end()
      await child.stop()
      await surroundings.stop()
    },
  }
}

async function pay(client: HttpClient, redemption: string): Promise<void> {
  const event = {
    id: `evt_${randomUUID()}`,
    type: 'payment.completed',
    data: { redemptions: [redemption] },
  }
  await client.post('/v1/webhooks/payments/sandbox', event, {})
}

async function audit(
  ledger: PeerLedger,
  surroundings: Surroundings,
  armedQuery: string | undefined,
): Promise<Audit> {
  const inPostgres = armedQuery === undefined ? undefined : await ledger.number(armedQuery)
  return {
    debits: await ledger.count('redeem'),
    applied: await ledger.count('apply'),
    armed: (await surroundings.armed?.()) ?? inPostgres,
  }
}
