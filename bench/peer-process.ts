import { fork } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const START_TIMEOUT_MS = 30_000 // creating an engine's tables takes a second or two
const STOP_GRACE_MS = 5_000

interface PeerProcess {
  /** Of its HTTP front. */
  origin: string
  stop(): Promise<void>
}

/** Starts `bench/peers/<name>.ts` and waits until it says on which port it listens. */
export async function startPeer(
  name: string,
  dir: string,
  env: Record<string, string>,
): Promise<PeerProcess> {
  const logFile = join(dir, `${name}.log`)
  const log = openSync(logFile, 'a')
  const child = fork(join(import.meta.dirname, 'peers', `${name}.ts`), {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, ...env },
    stdio: ['ignore', log, log, 'ipc'],
  })
  const exited = once(child, 'exit')
  const impatience = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS)
  const said = await Promise.race([once(child, 'message'), exited.then(() => null)])
  clearTimeout(impatience)
  if (said === null) throw new Error(`${name} did not start:\n${readFileSync(logFile, 'utf8')}`)
  const { port } = said[0] as { port: number }
  return {
    origin: `http://127.0.0.1:${port}`,
    stop: async () => {
      child.kill('SIGTERM')
      const insist = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS)
      await exited
      clearTimeout(insist)
    },
  }
}
