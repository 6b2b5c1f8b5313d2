import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { workflowBundle } from '../../../worker/bundle.ts'
import { shared } from './shared.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The file of the workflows as they are, bundled once for the whole run. */
    bundlePath: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { value, release } = await shared('workflows', bundle)
  project.provide('bundlePath', value)
  return release
}

async function bundle() {
  const folder = await mkdtemp(join(tmpdir(), 'vinr-test-workflows-'))
  const path = join(folder, 'workflows.js')
  await writeFile(path, (await workflowBundle()).code)
  return { value: path, stop: () => rm(folder, { recursive: true, force: true }) }
}
