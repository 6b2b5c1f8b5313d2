import { existsSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'

/** Where `npm run runtimes -w @vinr/sdk` puts them; SDK_RUNTIMES names another folder with a node_modules. */
export const RUNTIMES = resolve(
  process.env.SDK_RUNTIMES || join(import.meta.dirname, '../../../.cache/sdk-runtimes'),
)

/** The program's path: in that folder, else on the PATH. */
export function findProgram(name: string): string | undefined {
  const folders = [
    join(RUNTIMES, 'node_modules/.bin'),
    ...(process.env.PATH ?? '').split(delimiter),
  ]
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}

/** The folder to load the package from, where it is there. */
export function findPackage(name: string): string | undefined {
  return existsSync(join(RUNTIMES, 'node_modules', name)) ? RUNTIMES : undefined
}
