import type { Snapshot } from '../snapshot.ts'
import type { ViewAnswer } from './account.ts'

export type Credit = { currency: string; amount: number }

export type WalletAnswer = {
  view: ViewAnswer
  program: Snapshot
  points_currency_value: number | string | null
  credits: Credit[]
}

export type IdentityAnswer = { outcome: 'registered' | 'exists' | 'replayed'; identity: Snapshot }
