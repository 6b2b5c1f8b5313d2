import { execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cached } from '../../dev/cache.ts'

const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt')
const INSTALL_MS = 600_000

type Attack = {
  /** The origin of a running API. */
  url: string
  apiKey: string
  /** A comma-separated list of schemathesis' phases. */
  phases: string
  /** Seconds at most; without, as long as the phases take. */
  seconds?: number
  seed: number
  onProgress: (line: string) => void
}

/** Runs schemathesis against a running API; its report, and whether it found nothing. */
export async function attack(options: Attack): Promise<{ clean: boolean; report: string }> {
  const python = await cached(
    `schemathesis-${version()}`,
    'bin/python',
    install,
    options.onProgress,
  )
  const { url, apiKey, phases, seconds, seed } = options
  const args = ['--phases', phases, '--seed', String(seed), '--checks', 'all', '--no-color']
  if (seconds !== undefined) args.push('--max-time', String(seconds))
  const child = spawn(python, ['-m', 'schemathesis.cli', 'run', `${url}/openapi.json`, ...args], {
    cwd: import.meta.dirname,
    env: { ...process.env, VINR_API_KEY: apiKey, PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let report = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      report += text
    })
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { clean: code === 0, report }
}

function version(): string {
  const pinned = /^schemathesis==(\S+)$/m.exec(readFileSync(REQUIREMENTS, 'utf8'))?.[1]
  if (pinned === undefined) throw new Error(`${REQUIREMENTS} names no schemathesis`)
  return pinned
}

/** A virtual environment of its own, so that nothing of the machine's Python is touched. */
async function install(dir: string): Promise<void> {
  const run = promisify(execFile)
  await run('python3', ['-m', 'venv', dir], { timeout: INSTALL_MS }).catch((cause: Error) => {
    throw new Error('schemathesis needs python3 with venv on PATH (Debian: python3-venv)', {
      cause,
    })
  })
  await run(join(dir, 'bin/python'), ['-m', 'pip', 'install', '--quiet', '-r', REQUIREMENTS], {
    timeout: INSTALL_MS,
  })
}
