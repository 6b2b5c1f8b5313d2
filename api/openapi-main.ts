import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { ENDPOINTS } from './endpoints.ts'
import { keptExamples } from './examples.ts'
import { openApiDocument } from './openapi.ts'
import { productVersion } from './version.ts'

const FILE = fileURLToPath(new URL('../openapi.json', import.meta.url))

/**
 * `npm run openapi`: writes openapi.json from the endpoints and the examples kept by test/examples, without a database. With `--check` it writes
 * nothing and fails where the file says something else.
 */
async function main(check: boolean): Promise<void> {
  const described = openApiDocument(ENDPOINTS, productVersion(), keptExamples())
  const document = `${JSON.stringify(described, null, 2)}\n`
  if (!check) return writeFile(FILE, document)
  const committed = await readFile(FILE, 'utf8').catch(() => '')
  if (committed === document) return
  console.error('openapi.json is stale: npm run openapi, and commit it')
  process.exitCode = 1
}

await main(process.argv.includes('--check'))
