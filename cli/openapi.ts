import { readFile, writeFile } from 'node:fs/promises'
import { ENDPOINTS } from '../api/server/endpoints.ts'
import { keptExamples } from '../api/server/examples.ts'
import { openApiDocument } from '../api/server/openapi.ts'
import { productVersion } from '../api/server/version.ts'

const FILE = new URL('../openapi.json', import.meta.url)

/**
 * `vinr openapi`: writes openapi.json from the endpoints and the kept examples, without a database. With
 * `check` it writes nothing, and throws where the file says something else.
 */
export async function writeOpenApi({ check }: { check: boolean }): Promise<void> {
  const described = openApiDocument(ENDPOINTS, productVersion(), keptExamples())
  const document = `${JSON.stringify(described, null, 2)}\n`
  if (!check) return writeFile(FILE, document)
  const committed = await readFile(FILE, 'utf8').catch(() => '')
  if (committed !== document) {
    throw new Error('openapi.json is stale: npm run openapi, and commit it')
  }
}
