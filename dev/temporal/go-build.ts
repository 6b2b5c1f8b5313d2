import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { cacheFolder } from '../cache.ts'
import { startChild, tailOf } from '../children.ts'

const MODULE = import.meta.dirname
const CLI = 'github.com/temporalio/cli'
const PROGRESS_EVERY_MS = 15_000 // often enough to see that it lives, seldom enough to read

/** The version of the Temporal CLI that this folder's go.mod pins, without the v. */
export function pinnedCliVersion(): string {
  const version = new RegExp(`^\\s*(?:require )?${CLI} v(\\S+)`, 'm').exec(goMod())?.[1]
  if (version === undefined) throw new Error(`${MODULE}/go.mod requires no ${CLI}`)
  return version
}

/** The version of Go that the build needs at least. */
export function neededGoVersion(): string {
  return /^go (\S+)/m.exec(goMod())?.[1] ?? 'any'
}

/**
 * Builds the Temporal CLI, which holds the development server and its UI, into `dir`/temporal from
 * the Go modules that go.sum pins. Takes some minutes the first time.
 */
export async function buildWithGo(dir: string, onProgress: (line: string) => void) {
  await goBuild({
    what: 'the Temporal server from Go modules',
    takes: 'some minutes (4 on two idle cores)',
    module: MODULE,
    program: `${CLI}/cmd/temporal`,
    ldflags: `-s -w -X ${CLI}/internal/temporalcli.Version=${pinnedCliVersion()}`,
    output: join(dir, 'temporal'),
    onProgress,
  })
}

type GoBuild = {
  /** As a progress line says it. */
  what: string
  takes: string
  /** The folder of the go.mod and go.sum that pin everything. */
  module: string
  /** The import path of the program's package. */
  program: string
  ldflags?: string
  output: string
  onProgress: (line: string) => void
}

/** Builds one program from the Go modules that a go.sum pins; rejects with the end of its log. */
export async function goBuild(options: GoBuild): Promise<void> {
  const { what, takes, module, program, ldflags = '-s -w', output, onProgress } = options
  requireGo()
  const logFile = join(cacheFolder(), `${basename(output)}-build.log`)
  const started = performance.now()
  onProgress(`Building ${what}: ${takes}, this once`)
  const build = await startChild({
    name: 'go build',
    command: 'go',
    args: [
      'build',
      '-mod=readonly',
      '-trimpath',
      '-buildvcs=false', // it would ask git about a repository that is not the program's
      `-ldflags=${ldflags}`,
      `-o=${output}`,
      program,
    ],
    cwd: module,
    env: { ...process.env, CGO_ENABLED: '0' }, // no C compiler is needed
    logFile,
    stopSignal: 'SIGINT',
  })
  const progress = setInterval(() => {
    const seconds = Math.round((performance.now() - started) / 1000)
    onProgress(`Building ${what}: ${seconds} s`)
  }, PROGRESS_EVERY_MS)
  const { code } = await build.exited.finally(() => clearInterval(progress))
  if (code !== 0) throw new Error(`go build failed. The end of ${logFile}:\n${tailOf(logFile)}`)
}

function requireGo() {
  try {
    execFileSync('go', ['version'], { stdio: 'pipe' })
  } catch {
    throw new Error('go is not on PATH')
  }
}

function goMod(): string {
  return readFileSync(join(MODULE, 'go.mod'), 'utf8')
}
