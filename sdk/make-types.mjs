import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** `npm run types -w @vinr/sdk`: src/openapi.ts from the API's own document. */
const cwd = fileURLToPath(new URL('.', import.meta.url))
const args = ['../openapi.json', '-o', 'src/openapi.ts', '--default-non-nullable=false']
const { status } = spawnSync('openapi-typescript', args, { cwd, stdio: 'inherit' })
process.exitCode = status ?? 1
