import type { TestProject } from 'vitest/node'
import { temporalBinary } from '../../../dev/temporal/binary.ts'
import { startTemporal } from '../../../dev/temporal/server.ts'
import { SEARCH_ATTRIBUTES } from '../../../temporal/names.ts'
import { shared } from './shared.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    temporalAddress: string
  }
}

/** One Temporal for the whole run; each suite has its own task queue in it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { value, release } = await shared('temporal', start)
  project.provide('temporalAddress', value)
  return release
}

async function start() {
  const { address, stop } = await startTemporal({
    binary: await temporalBinary({ onProgress: console.log }),
    namespace: 'default',
    searchAttributes: Object.fromEntries(
      SEARCH_ATTRIBUTES.map(({ name }) => [name, 'Keyword' as const]),
    ),
  })
  return { value: address, stop }
}
