import { fork } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Which of the SDK's two test servers. */
type SdkServer = { type: 'dev-server' | 'time-skipping'; version: string }

const FIRST_BYTE_WITHIN_MS = 8_000 // without a network nobody should wait long for the next way
const STALLED_AFTER_MS = 30_000
const CHECK_EVERY_MS = 250

/**
 * Lets the Temporal SDK download a server into `dir`, under the name `file`. Runs it in a process
 * of its own, because the SDK's download cannot be cancelled, and gives up where nothing arrives.
 */
export async function downloadBySdk(dir: string, file: string, server: SdkServer) {
  const entry = join(import.meta.dirname, 'sdk-download-main.ts')
  const child = fork(entry, [dir, server.type, server.version], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const stall = killWhenStalled(dir, () => child.kill('SIGKILL'))
  await once(child, 'exit').finally(stall.end)
  if (stall.reason !== null) throw new Error(stall.reason)
  if (child.exitCode !== 0) {
    throw new Error(lastLine(stderr) || `the SDK ended with code ${child.exitCode}`)
  }
  const [downloaded, ...others] = readdirSync(dir)
  if (downloaded === undefined || others.length > 0) throw new Error('the SDK left no one file')
  renameSync(join(dir, downloaded), join(dir, file))
  chmodSync(join(dir, file), 0o755)
}

function killWhenStalled(dir: string, kill: () => void) {
  let bytes = 0
  let until = performance.now() + FIRST_BYTE_WITHIN_MS
  const watch = {
    reason: null as string | null,
    end: () => clearInterval(timer),
  }
  const timer = setInterval(() => {
    const now = bytesIn(dir)
    if (now > bytes) until = performance.now() + STALLED_AFTER_MS
    bytes = now
    if (performance.now() < until) return
    watch.reason = bytes === 0 ? 'no answer from the download server' : 'the download stalled'
    kill()
  }, CHECK_EVERY_MS)
  return watch
}

function bytesIn(dir: string): number {
  const sizes = readdirSync(dir).map((name) => statSync(join(dir, name), { throwIfNoEntry: false }))
  return sizes.reduce((sum, stat) => sum + (stat?.size ?? 0), 0)
}

function lastLine(text: string): string {
  return (
    text
      .split('\n')
      .find((line) => /error|failed/i.test(line))
      ?.trim() ?? ''
  )
}
