import { z } from 'zod'

/** A data directory of the release before, recorded by record.ts. */
export const FIXTURE = `${import.meta.dirname}/data-directory`

export const TEMPORAL_FILES = ['temporal.db', 'temporal.db-wal']

/** What was under way in it, by its part in the test. */
export const Made = z.object({
  commit: z.string(),
  recordedAt: z.iso.datetime(),
  redemptions: z.object({
    paid: z.string(),
    cancelled: z.string(),
    extended: z.string(),
    lapsed: z.string(),
    attached: z.string(),
    held: z.string(),
    refunded: z.string(),
    shipped: z.string(),
  }),
  refusedRun: z.string(),
  openPayment: z.string(),
  accounts: z.object({
    maturing: z.string(),
    expiringAsleep: z.string(),
    expiringDelayed: z.string(),
    tier: z.string(),
  }),
  heldEvent: z.string(),
  import: z.string(),
  importRows: z.number(),
  endpoints: z.object({ enabled: z.string(), disabled: z.string() }),
})

export type Made = z.infer<typeof Made>
