import { DefaultLogger, Runtime } from '@temporalio/worker'

let isQuiet = false

/** The engine's own news is noise in a test; its errors are not. Once for each process. */
export function quietEngine(): void {
  if (isQuiet) return
  Runtime.install({ logger: new DefaultLogger('ERROR') })
  isQuiet = true
}
