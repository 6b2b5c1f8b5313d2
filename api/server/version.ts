import { readFileSync } from 'node:fs'

/** The product's version, as package.json has it. */
export function productVersion(): string {
  const file = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(file) as { version: string } // our own package.json
  return version
}
