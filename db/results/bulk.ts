export type ChunkResult = {
  outcome: 'posted' | 'done' | 'running' | 'paused' | 'completed' | 'canceled' | 'missing'
}
