import { readdir, readFile } from 'node:fs/promises'
import { Worker } from '@temporalio/worker'
import { beforeAll, expect, inject, test } from 'vitest'
import * as workflows from '../../workflows/index.ts'

// Each file is the history of a run that ended so, recorded from an earlier version of the
// workflows. One that no longer replays would fail in production, in every run that is under way.
const folder = new URL('./', import.meta.url)
const files = (await readdir(folder)).filter((file) => file.endsWith('.json'))

let code: string

beforeAll(async () => {
  code = await readFile(inject('bundlePath'), 'utf8')
})

test('every type of workflow has a history', async () => {
  const recorded = await Promise.all(files.map(typeOf))
  const types = Object.keys(workflows)
  expect(types.filter((type) => !recorded.includes(type))).toEqual([])
  expect(recorded.filter((type) => !types.includes(type))).toEqual([])
})

async function typeOf(file: string): Promise<string> {
  const { events } = JSON.parse(await readFile(new URL(file, folder), 'utf8'))
  return events[0].workflowExecutionStartedEventAttributes.workflowType.name
}

test.for(files)('%s replays on the workflows as they are', async (file) => {
  const history = JSON.parse(await readFile(new URL(file, folder), 'utf8'))
  await Worker.runReplayHistory({ workflowBundle: { code } }, history)
})

test('a history that the workflows would not have written does not replay', async () => {
  const history = JSON.parse(await readFile(new URL('redemption-applied.json', folder), 'utf8'))
  const marker = history.events.find(
    (event: { markerRecordedEventAttributes?: unknown }) => event.markerRecordedEventAttributes,
  )
  marker.eventType = 'EVENT_TYPE_TIMER_STARTED'
  marker.timerStartedEventAttributes = {
    timerId: '1',
    startToFireTimeout: '60s',
    workflowTaskCompletedEventId: '4',
  }
  delete marker.markerRecordedEventAttributes
  await expect(Worker.runReplayHistory({ workflowBundle: { code } }, history)).rejects.toThrow(
    /ondeterminism/,
  )
})
