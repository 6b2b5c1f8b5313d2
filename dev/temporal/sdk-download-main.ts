/**
 * Downloads a Temporal server by the SDK: node sdk-download-main.ts <dir> <type> <version>. The SDK
 * gives no download without a start, so the server is started once and stopped.
 */
import { TestWorkflowEnvironment } from '@temporalio/testing'

const [downloadDir, type, version] = process.argv.slice(2)
const server = { executable: { type: 'cached-download' as const, downloadDir, version } }
try {
  const environment =
    type === 'time-skipping'
      ? await TestWorkflowEnvironment.createTimeSkipping({ server })
      : await TestWorkflowEnvironment.createLocal({ server })
  await environment.teardown()
  process.exit(0)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exit(1)
}
