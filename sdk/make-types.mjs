import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * `npm run types -w @vinr/sdk`: src/openapi.ts from the API's own document. With `--check` it writes
 * nothing and fails where the file says something else.
 */
const cwd = fileURLToPath(new URL('.', import.meta.url))
const args = ['../openapi.json', '-o', 'src/openapi.ts', '--default-non-nullable=false']
if (process.argv.includes('--check')) args.push('--check')
const { status } = spawnSync('openapi-typescript', args, { cwd, stdio: 'inherit' })
process.exitCode = status ?? 1
