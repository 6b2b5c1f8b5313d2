import type { SealedCode } from '../../domain/gift-card.ts'
import type { Snapshot } from '../snapshot.ts'

export type CodesUploadResult = {
  outcome: 'uploaded' | 'replayed'
  batch: Snapshot
}

/** A code with the line of the file that it stands in. */
export type UploadedCode = SealedCode & { line: number }
