import { cached } from '../../dev/cache.ts'
import { downloadBySdk } from '../../dev/temporal/sdk-download.ts'
import { copyByMaven, pinnedTestServerVersion } from '../../dev/time-skipping/maven.ts'

const FILE = 'temporal-test-server'

/**
 * The path of a time-skipping test server, for
 * `TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } })`:
 * the cached one, else the SDK's download, else the Java one by Maven. Rejects where none is to be
 * had, and names what each way lacked. It honours startDelay, but is not woken by signalWithStart
 * while delayed, and has no Schedules.
 */
export async function timeSkippingServer(
  options: { onProgress?: (line: string) => void } = {},
): Promise<string> {
  const version = pinnedTestServerVersion()
  const onProgress = options.onProgress ?? (() => {})
  const make = async (dir: string) => {
    const server = { type: 'time-skipping', version: `v${version}` } as const
    const noDownload = await failure(downloadBySdk(dir, FILE, server))
    if (noDownload === null) return
    onProgress('Getting the time-skipping test server by Maven')
    const noMaven = await failure(copyByMaven(dir, FILE))
    if (noMaven === null) return
    throw new Error(
      [
        'No time-skipping test server is to be had:',
        `  download by the Temporal SDK: ${noDownload}`,
        `  Maven: ${noMaven}`,
        'Install Java 11 or newer and Maven (Debian: default-jre-headless and maven), or connect ' +
          'to the internet once.',
      ].join('\n'),
    )
  }
  return await cached(`${FILE}-${version}`, FILE, make, onProgress)
}

async function failure(attempt: Promise<void>): Promise<string | null> {
  return await attempt.then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
}
