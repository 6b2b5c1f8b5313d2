import { readFile, writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { productVersion } from '../api/server/version.ts'
import { ending, moreHelp } from './command.ts'

export function addOpenApi(program: Command): void {
  program
    .command('openapi')
    .description('write openapi.json from the code, without a database')
    .option('--check', 'write nothing; exit code 1 where the file says something else', false)
    .addHelpText('after', moreHelp(['vinr openapi', 'vinr openapi --check']))
    .action(ending(1, writeOpenApi))
}

const FILE = new URL('../openapi.json', import.meta.url)

/**
 * Writes openapi.json from the endpoints and the kept examples, without a database. With `check` it writes
 * nothing, and throws where the file says something else.
 */
async function writeOpenApi({ check }: { check: boolean }): Promise<void> {
  const { ENDPOINTS } = await import('../api/server/endpoints.ts')
  const { keptExamples } = await import('../api/server/examples.ts')
  const { openApiDocument } = await import('../api/server/openapi.ts')
  const described = openApiDocument(ENDPOINTS, productVersion(), keptExamples())
  const document = `${JSON.stringify(described, null, 2)}\n`
  if (!check) return writeFile(FILE, document)
  const committed = await readFile(FILE, 'utf8').catch(() => '')
  if (committed !== document) {
    throw new Error('openapi.json is stale: npm run openapi, and commit it')
  }
}
