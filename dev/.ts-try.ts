import { timeSkippingServer } from '../test/support/time-skipping.ts'
import { TestWorkflowEnvironment } from '@temporalio/testing'
import { Worker } from '@temporalio/worker'
const t0 = performance.now(); const t = () => Math.round(performance.now() - t0)
const path = await timeSkippingServer({ onProgress: console.log }); console.log(t(), path)
const env = await TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } }); console.log(t(), 'started')
const worker = await Worker.create({ connection: env.nativeConnection, taskQueue: 'q', workflowsPath: new URL('./.wf.ts', import.meta.url).pathname })
await worker.runUntil(async () => {
  console.log(t(), 'slept ms', await env.client.workflow.execute('nap', { taskQueue: 'q', workflowId: 'a' }))
  const before = await env.currentTimeMs()
  const at = await env.client.workflow.execute('startedAt', { taskQueue: 'q', workflowId: 'b', startDelay: '30 minutes' }) as number
  console.log(t(), 'startDelay honoured: began after ms', at - before)
})
await env.teardown(); console.log(t(), 'done')
