import { expect, test } from 'vitest'
import type { Exit } from '../../dev/children.ts'
import { supervise } from '../../dev/stack/supervise.ts'

const CRASHED: Exit = { code: 1, signal: null }
const crashed = () => ({ exited: Promise.resolve(CRASHED) })
const steady = () => ({ exited: new Promise<Exit>(() => {}) })

function stack(restarts: number) {
  const closing = new AbortController()
  const lines: string[] = []
  const onProgress = (line: string) => void lines.push(line)
  return { closing, lines, options: { restarts, closing: closing.signal, onProgress } }
}

test('a process that ended is started again, and the line says why', async () => {
  const { lines, options } = stack(3)
  const { promise: back, resolve } = deferred()
  const again = async () => {
    resolve()
    return steady()
  }
  void supervise('The API', crashed(), again, options)
  await back
  expect(lines[0]).toBe('The API ended by itself (exit code 1); starting it again in 0.5 s')
})

test('a process that keeps ending is given up after so many restarts', async () => {
  const { options } = stack(1)
  let starts = 0
  const again = async () => {
    starts++
    return crashed()
  }
  await expect(supervise('Postgres', crashed(), again, options)).rejects.toThrow('too often')
  expect(starts).toBe(1)
})

test('a start that fails counts as another end', async () => {
  const { lines, options } = stack(1)
  const again = async () => Promise.reject(new Error('Port 5432 was taken meanwhile'))
  await expect(supervise('Postgres', crashed(), again, options)).rejects.toThrow('too often')
  expect(lines).toContain('Port 5432 was taken meanwhile')
})

test('nothing is started again once the stack is closing', async () => {
  const { closing, options } = stack(3)
  closing.abort()
  const again = async () => Promise.reject(new Error('started'))
  await expect(supervise('The worker', crashed(), again, options)).resolves.toBeUndefined()
})

test('closing ends the wait before a restart', async () => {
  const { closing, lines, options } = stack(3)
  const again = async () => Promise.reject(new Error('started'))
  const supervised = supervise('The worker', crashed(), again, {
    ...options,
    onProgress: (line) => {
      lines.push(line)
      closing.abort()
    },
  })
  await expect(supervised).resolves.toBeUndefined()
  expect(lines).toHaveLength(1)
})

function deferred() {
  let resolve = () => {}
  const promise = new Promise<void>((yes) => {
    resolve = yes
  })
  return { promise, resolve }
}
