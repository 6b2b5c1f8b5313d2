/**
 * Settings of the embedded development server, measured on two cores. Its defaults are meant for a
 * cluster with many shards; on one shard they leave most of the machine idle.
 */
const DYNAMIC_CONFIG = {
  // 20 polls a second and shard by default, which adds 50 ms to each task of each queue.
  'history.transferProcessorMaxPollRPS': 5_000,
  'history.timerProcessorMaxPollRPS': 5_000,
  'history.visibilityProcessorMaxPollRPS': 5_000,
  // One partition: with four, a task waits for a forward to the one that has a poller.
  'matching.numTaskqueueReadPartitions': 1,
  'matching.numTaskqueueWritePartitions': 1,
  // Writes of one shard at a time: one by default; eight give a quarter more.
  'history.shardIOConcurrency': 8,
  // It would ask a server on the internet for newer versions.
  'frontend.enableServerVersionCheck': false,
}

export type SqlitePragmas = Record<string, string>

/** For a server with a database file; one in memory has no journal. */
export const SQLITE_PRAGMAS: SqlitePragmas = {
  // Twice the throughput of the default journal.
  journal_mode: 'WAL',
  // Safe against a crash of the process; a power cut may lose the last moments (FULL costs 21 %).
  synchronous: 'NORMAL',
}

export function dynamicConfigArgs(): string[] {
  return flags('--dynamic-config-value', DYNAMIC_CONFIG)
}

export function sqliteArgs(pragmas: SqlitePragmas): string[] {
  return flags('--sqlite-pragma', pragmas)
}

function flags(flag: string, values: Record<string, string | number | boolean>): string[] {
  return Object.entries(values).flatMap(([name, value]) => [flag, `${name}=${value}`])
}
