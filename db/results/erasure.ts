import type { Snapshot } from '../snapshot.ts'

export type { ErasedStore, ErasureWait } from '../../domain/erasure.ts'

export type ErasureAnswer = { outcome: string; erasure: Snapshot | null }
