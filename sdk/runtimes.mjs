import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * `npm run runtimes -w @vinr/sdk`: installs the runtimes that the SDK is for into .cache/sdk-runtimes (some
 * 320 MB, none of them in package.json), and runs the SDK in each.
 */
const RUNTIMES = {
  bun: '1.4.5',
  deno: '2.9.6',
  'edge-runtime': '4.0.1',
  workerd: '1.20260426.1',
}

const project = fileURLToPath(new URL('..', import.meta.url))
const folder = `${project}.cache/sdk-runtimes`
mkdirSync(folder, { recursive: true })
const allowScripts = { bun: true, deno: true, workerd: true } // each fetches nothing but its own binary
writeFileSync(
  `${folder}/package.json`,
  JSON.stringify({ private: true, dependencies: RUNTIMES, allowScripts }),
)
run('npm', ['install', '--no-audit', '--no-fund'], folder)
run('npx', ['vitest', 'run', 'test/sdk/runtimes'], project)

function run(program, args, cwd) {
  const env = { ...process.env, SDK_RUNTIMES: folder }
  const { status } = spawnSync(program, args, { cwd, env, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
