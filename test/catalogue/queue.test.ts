import { expect, test } from 'vitest'
import { queueOf } from '../../api/redemptions/queue.ts'

function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

test('lets so many of a key run at once, and the others in the order they came, told that they waited', async () => {
  const enter = queueOf(2)
  const gates = Array.from({ length: 4 }, gate)
  const began: [number, boolean][] = []
  const tasks = gates.map(({ opened }, n) =>
    enter('a', async (waited) => {
      began.push([n, waited])
      await opened
    }),
  )
  await enter('b', async (waited) => expect(waited).toBe(false))
  expect(began).toEqual([
    [0, false],
    [1, false],
  ])
  gates[1]?.open()
  await tasks[1]
  await expect.poll(() => began.at(-1)).toEqual([2, true])
  for (const { open } of gates) open()
  await Promise.all(tasks)
  expect(began.at(-1)).toEqual([3, true])
  await enter('a', async (waited) => expect(waited).toBe(false))
})

test('a task that fails makes room as one that does not', async () => {
  const enter = queueOf(1)
  const failing = enter('a', () => Promise.reject(new Error('broken')))
  const next = enter('a', async () => 'done')
  await expect(failing).rejects.toThrow('broken')
  expect(await next).toBe('done')
})
