import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { tryLock } from './lock.ts'
import { identify } from './process-identity.ts'

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'))
  file = join(folder, 'a.lock')
})

afterEach(() => rmSync(folder, { recursive: true }))

test('a free lock is taken, and released', () => {
  const lock = tryLock(file)
  if (!('release' in lock)) throw new Error('not taken')
  expect(existsSync(file)).toBe(true)
  lock.release()
  expect(existsSync(file)).toBe(false)
})

test('a lock of a process that runs names its holder', async () => {
  const holder = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  await once(holder, 'spawn')
  writeFileSync(file, JSON.stringify(identify(holder.pid ?? 0)))
  expect(tryLock(file)).toMatchObject({ heldBy: { pid: holder.pid } })
  holder.kill()
  await once(holder, 'exit')
  expect(tryLock(file)).toHaveProperty('release')
})

test('a lock whose process id now belongs to another process is taken over', () => {
  const other = identify(process.pid)
  writeFileSync(file, JSON.stringify({ ...other, startedAt: 'an earlier boot' }))
  expect(tryLock(file)).toHaveProperty('release')
})

test('a lock file that holds no holder is taken over', () => {
  writeFileSync(file, '')
  expect(tryLock(file)).toHaveProperty('release')
})
