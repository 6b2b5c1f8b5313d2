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
  // The development server reads the search attributes' definitions from its database for each use
  // of them, a fifth of what a start costs: a new one would be seen at once. Ours come with the database.
  'system.forceSearchAttributesCacheRefreshOnRead': false,
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
  // Pages: a checkpoint for each 16 MB instead of 4; with the heap's setting a tenth of a start.
  wal_autocheckpoint: '4000',
}

/** The server keeps little and allocates much: collecting less often costs it 200 MB of memory. */
export const GO_ENVIRONMENT = { GOGC: '400', GOMEMLIMIT: '1GiB' }

export function dynamicConfigArgs(): string[] {
  return flags('--dynamic-config-value', DYNAMIC_CONFIG)
}

export function sqliteArgs(pragmas: SqlitePragmas): string[] {
  return flags('--sqlite-pragma', pragmas)
}

function flags(flag: string, values: Record<string, string | number | boolean>): string[] {
  return Object.entries(values).flatMap(([name, value]) => [flag, `${name}=${value}`])
}
