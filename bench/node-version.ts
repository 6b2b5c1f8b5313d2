import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'

// Restate's SDK calls Promise.withResolvers and pg-boss asks for 22.12; the product needs neither.
const NEEDED = [22, 12] as const

const peers = createRequire(new URL('./peers/package.json', import.meta.url))

/**
 * Runs this command again under a newer Node, from the peers' packages, where this one is too old
 * for a peer: all contenders, ours included, run under the same. Answers its exit code, or null
 * where this Node will do.
 */
export async function rerunUnderNewerNode(): Promise<number | null> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) return null
  const child = spawn(newerNode(), [...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  const [code] = await once(child, 'exit')
  return Number(code ?? 1)
}

function newerNode(): string {
  const name = `node-${process.platform}-${process.arch}`
  try {
    return peers.resolve(`${name}/bin/node`)
  } catch {
    throw new Error(
      `The peers need Node ${NEEDED.join('.')} or newer; this is ${process.version}, and bench/peers ` +
        `brings none for ${process.platform} ${process.arch}`,
    )
  }
}
