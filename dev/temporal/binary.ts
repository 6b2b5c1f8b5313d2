import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { cached, cacheFolder, inCache } from '../cache.ts'
import { buildWithGo, neededGoVersion, pinnedCliVersion } from './go-build.ts'
import { downloadBySdk } from './sdk-download.ts'

type Progress = (line: string) => void

/** A way to come by the binary: its path, or why this way does not lead to one. */
type Way = { name: string; find(onProgress: Progress): Promise<string | { not: string }> }

// What the workflows rely on (an update wakes a delayed run) was measured from this version on.
const OLDEST_SERVER = [1, 29] as const
const CACHE = `temporal-cli-${pinnedCliVersion()}`

/**
 * The path of a `temporal` command with a development server in it: the one that TEMPORAL_CLI
 * names, `temporal` on PATH, the project's cache, the SDK's download, or a build from Go modules,
 * whichever comes first. Where none leads anywhere it rejects and names what each one lacked.
 */
export async function temporalBinary(options: { onProgress?: Progress } = {}): Promise<string> {
  const onProgress = options.onProgress ?? (() => {})
  const named = process.env.TEMPORAL_CLI
  if (named) return requireNamed(named)
  const lacks: string[] = []
  for (const way of WAYS) {
    const found = await way.find(onProgress)
    if (typeof found === 'string') return found
    lacks.push(`  ${way.name}: ${found.not}`)
  }
  throw new Error(
    [
      'No Temporal server was found, and none could be made:',
      '  TEMPORAL_CLI: not set',
      ...lacks,
      'Any one of these helps: install the Temporal CLI (https://docs.temporal.io/cli), set ' +
        `TEMPORAL_CLI to its path, or install Go ${neededGoVersion()} or newer.`,
    ].join('\n'),
  )
}

const WAYS: Way[] = [
  {
    name: 'temporal on PATH',
    find: async (onProgress) => {
      const path = onPath('temporal')
      if (path === null) return { not: 'there is none' }
      const objection = objectionTo(path)
      if (objection !== null) onProgress(`Not using ${path}: ${objection}`)
      return objection === null ? path : { not: objection }
    },
  },
  {
    name: 'cache',
    find: async () => {
      const path = inCache(CACHE, 'temporal')
      return path ?? { not: `nothing in ${join(cacheFolder(), CACHE)}` }
    },
  },
  {
    name: 'download by the Temporal SDK',
    find: async (onProgress) => {
      onProgress('Looking for a Temporal server to download')
      const server = { type: 'dev-server', version: `v${pinnedCliVersion()}` } as const
      return await intoCache((dir) => downloadBySdk(dir, 'temporal', server), onProgress)
    },
  },
  {
    name: 'build from Go modules',
    find: async (onProgress) => await intoCache((dir) => buildWithGo(dir, onProgress), onProgress),
  },
]

async function intoCache(make: (dir: string) => Promise<void>, onProgress: Progress) {
  try {
    return await cached(CACHE, 'temporal', make, onProgress)
  } catch (error) {
    return { not: error instanceof Error ? error.message : String(error) }
  }
}

function requireNamed(path: string): string {
  const objection = objectionTo(path)
  if (objection !== null) throw new Error(`TEMPORAL_CLI names ${path}: ${objection}`)
  return path
}

/** What speaks against using this command, or null. */
function objectionTo(path: string): string | null {
  const version = versionOf(path)
  if (version === null) return 'it does not run, or is not the Temporal CLI'
  const server = /Server (\d+)\.(\d+)/.exec(version)
  const [major = 0, minor = 0] = server?.slice(1).map(Number) ?? []
  const [oldestMajor, oldestMinor] = OLDEST_SERVER
  const old = major < oldestMajor || (major === oldestMajor && minor < oldestMinor)
  return old ? `its server is older than ${OLDEST_SERVER.join('.')} (${version})` : null
}

function versionOf(path: string): string | null {
  try {
    const text = execFileSync(path, ['--version'], { encoding: 'utf8', stdio: 'pipe' }).trim()
    return text.startsWith('temporal version') ? text : null
  } catch {
    return null
  }
}

function onPath(command: string): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  const names = process.platform === 'win32' ? [`${command}.exe`] : [command]
  const paths = folders.flatMap((folder) => names.map((name) => join(folder, name)))
  return paths.find((path) => existsSync(path)) ?? null
}
