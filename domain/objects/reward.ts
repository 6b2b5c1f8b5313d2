import { pointsOf } from '../points.ts'
import type { RewardType } from '../reward.ts'
import type { Scale } from './account.ts'

export type RewardValue =
  | { percent: number; maxAmount?: number; currency?: string }
  | { amount: number; currency: string }
  | { product: string; quantity?: number }
  | { partner: string; sku: string }

export type RewardFacts = {
  readonly id: string
  readonly program: string
  readonly name: string
  readonly type: RewardType
  readonly cost: number
  readonly value: RewardValue
  readonly active: boolean
  readonly inventory: number | null
  readonly startsAt: Date | null
  readonly endsAt: Date | null
  readonly perMemberLimit: number | null
  readonly minTier: string | null
  readonly holdMinutes: number | null
  readonly fulfillment: { deadlineDays?: number; onOverdue?: 'notify' | 'refund' } | null
  readonly metadata: Record<string, string>
  readonly createdAt: Date
}

/** A reward as the API shows it; the cost comes in the program's smallest unit. */
export function rewardObject(row: RewardFacts, { decimals, livemode }: Scale) {
  return {
    id: row.id,
    object: 'reward' as const,
    program: row.program,
    name: row.name,
    type: row.type,
    cost: pointsOf(row.cost, decimals),
    value: row.value,
    active: row.active,
    inventory: row.inventory,
    starts_at: row.startsAt?.toISOString() ?? null,
    ends_at: row.endsAt?.toISOString() ?? null,
    per_member_limit: row.perMemberLimit,
    min_tier: row.minTier,
    holdMinutes: row.holdMinutes,
    fulfillment: row.fulfillment,
    metadata: row.metadata,
    created_at: row.createdAt.toISOString(),
    livemode,
  }
}
