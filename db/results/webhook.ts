import type { DeliveryAttempt } from '../schema/webhook.ts'

export type { DeliveryAttempt }

export type DueDelivery = { id: string; event: string /** Tries so far. */; attempt: number }

export type DeliveryBatch =
  | { outcome: 'gone' }
  | {
      outcome: 'work'
      deliveries: DueDelivery[]
      url: string
      secrets: string[]
      livemode: boolean
    }

export type NextDelivery = { at: string | null; due: boolean; in_ms: number | null }

export type DeliverySettlement = { disabled: boolean }

export type WaitingEndpoints = { waiting: string[] }

/** An endpoint, and the deliveries that its run has under way. */
export type EndpointUnderway = { endpoint: string; underway: string[] }
