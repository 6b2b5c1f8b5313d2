import type { TestProject } from 'vitest/node'
import { temporalBinary } from '../../../dev/temporal/binary.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The path of a Temporal server's program. */
    temporalBinary: string
  }
}

/** Found, or made: the first time on a machine that takes minutes. */
export default async function setup(project: TestProject): Promise<void> {
  project.provide('temporalBinary', await temporalBinary({ onProgress: console.log }))
}
