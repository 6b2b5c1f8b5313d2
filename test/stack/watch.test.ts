import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Exit } from '../../dev/children.ts'
import { changesOfCode, rerunOnChange } from '../../dev/stack/watch.ts'

const FOLDERS = [
  'domain',
  'db',
  'app',
  'temporal',
  'activities',
  'workflows',
  'process',
  'worker',
  'api',
]

let closing: AbortController
beforeEach(() => {
  closing = new AbortController()
})
afterEach(() => closing.abort())

describe('changes of the code', () => {
  let root: string
  let changes: AsyncGenerator<string[]>
  let next: Promise<IteratorResult<string[], void>>

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'vinr-watch-'))
    for (const folder of FOLDERS) await mkdir(join(root, folder, 'deep'), { recursive: true })
    changes = changesOfCode(root, closing.signal)
    next = changes.next() // it watches from here on
  })
  afterEach(() => rm(root, { recursive: true, force: true }))

  const write = (file: string) => writeFile(join(root, file), 'changed')
  const files = async (result: typeof next) => (await result).value?.toSorted()

  test('files that change together, at any depth, are one change', async () => {
    await write('domain/points.ts')
    await write('db/deep/points.sql')
    expect(await files(next)).toEqual(['db/deep/points.sql', 'domain/points.ts'])
  })

  test('what changes while nobody asks is the next one', async () => {
    await write('api/main.ts')
    await next
    await write('worker/main.ts')
    await write('app/rewards.ts')
    expect(await files(changes.next())).toEqual(['app/rewards.ts', 'worker/main.ts'])
  })

  test('tests, and what is no code, are none', async () => {
    await write('domain/points.test.ts')
    await write('domain/points.ts.swp')
    await write('README.ts')
    await write('workflows/redemption.ts')
    expect(await files(next)).toEqual(['workflows/redemption.ts'])
  })

  test('a file that another takes the place of has changed', async () => {
    await write('.config.ts.new')
    await rename(join(root, '.config.ts.new'), join(root, 'config.ts'))
    expect(await files(next)).toEqual(['config.ts'])
  })

  test('there are no more once the stack is closing', async () => {
    closing.abort()
    expect(await next).toEqual({ value: undefined, done: true })
  })
})

describe('at a change', () => {
  /** A program that ends when it is stopped, or `end`ed. */
  function program(name: string, log: string[]) {
    let end: (exit: Exit) => void = () => {}
    const exited = new Promise<Exit>((resolve) => {
      end = resolve
    })
    const stop = async () => {
      log.push(`${name} stops`)
      end({ code: 0, signal: null })
      return await exited
    }
    return { name, exited, stop, end }
  }

  /** Runs two programs over the changes; what happened, in order. */
  async function rerun(
    changes: () => AsyncGenerator<string[]>,
    { prepare = async () => {}, start = async (_name: string): Promise<void> => {} } = {},
  ) {
    const log: string[] = []
    const first = [program('worker', log), program('api', log)]
    const starts = ['worker', 'api'].map((name) => async () => {
      await start(name)
      log.push(`${name} starts`)
      return program(name, log)
    })
    const onProgress = (line: string) => void log.push(line)
    await rerunOnChange(first, {
      changes: changes(),
      prepare,
      starts,
      closing: closing.signal,
      onProgress,
    })
    return log
  }

  async function* once() {
    yield ['api/main.ts']
  }

  test('both programs stop, and start again', async () => {
    expect(await rerun(once)).toEqual([
      'api/main.ts changed',
      'worker stops',
      'api stops',
      'worker starts',
      'api starts',
      'Running the code as it is now',
    ])
  })

  test('one that does not start says why, the other runs, and the next change tries both', async () => {
    let isBroken = true
    const start = async (name: string) => {
      if (name === 'api' && isBroken) throw new Error('api did not start: exit code 1')
    }
    async function* twice() {
      yield ['api/main.ts', 'app/rewards.ts']
      isBroken = false
      yield ['api/main.ts']
    }
    expect(await rerun(twice, { start })).toEqual([
      'api/main.ts and 1 more changed',
      'worker stops',
      'api stops',
      'worker starts',
      'api did not start: exit code 1\nWaiting for a change',
      'api/main.ts changed',
      'worker stops',
      'worker starts',
      'api starts',
      'Running the code as it is now',
    ])
  })

  test('nothing starts on a schema that the database does not take', async () => {
    const prepare = async () => Promise.reject(new Error('syntax error at or near "form"'))
    expect(await rerun(once, { prepare })).toEqual([
      'api/main.ts changed',
      'worker stops',
      'api stops',
      'syntax error at or near "form"\nWaiting for a change',
    ])
  })

  test('a program that ended by itself says so, and is started with the next change', async () => {
    const log: string[] = []
    const [worker, api] = [program('worker', log), program('api', log)]
    async function* afterItsEnd() {
      api.end({ code: 1, signal: null })
      await api.exited
      yield ['api/main.ts']
    }
    await rerunOnChange([worker, api], {
      changes: afterItsEnd(),
      prepare: async () => {},
      starts: [async () => program('worker', log), async () => program('api', log)],
      closing: closing.signal,
      onProgress: (line) => void log.push(line),
    })
    expect(log).toEqual([
      'api ended by itself (exit code 1); it waits for a change',
      'api/main.ts changed',
      'worker stops',
      'Running the code as it is now',
    ])
  })
})
