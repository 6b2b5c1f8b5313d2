import { describe, expect, it } from 'vitest'
import { Turns } from './turns.ts'

const MINUTE_MS = 60_000

function openTurns() {
  let now = 0
  const turns = new Turns<string>(() => now)
  return {
    turns,
    pass: (ms: number) => {
      now += ms
    },
    take: () => turns.next() ?? { item: 'nobody', end: () => {} },
  }
}

describe('turns', () => {
  it('go round the workspaces, each with one thread at a time', () => {
    const { turns, take } = openTurns()
    for (const item of ['a1', 'a2', 'a3']) turns.push('a', item)
    turns.push('b', 'b1')
    const first = take()
    const second = take()
    expect([first.item, second.item, take().item]).toEqual(['a1', 'b1', 'nobody'])
    turns.push('b', 'b2')
    first.end()
    second.end()
    expect([take().item, take().item, turns.waiting('a')]).toEqual(['a2', 'b2', 1])
  })

  it('leave the slow a single thread, for a minute', () => {
    const { turns, take, pass } = openTurns()
    for (const workspace of ['slow1', 'slow2']) {
      turns.slow(workspace)
      turns.push(workspace, workspace)
    }
    turns.push('quick', 'quick')
    const first = take()
    expect([first.item, take().item, take().item]).toEqual(['slow1', 'quick', 'nobody'])
    first.end()
    const second = take()
    turns.push('slow1', 'again')
    expect([second.item, take().item]).toEqual(['slow2', 'nobody'])
    pass(MINUTE_MS)
    expect(take().item).toBe('again')
  })

  it('give one that has had its turn in vain the next one of its workspace', () => {
    const { turns, take } = openTurns()
    turns.push('a', 'a1')
    turns.push('a', 'a2')
    const first = take()
    turns.pushFirst('a', first.item)
    first.end()
    expect(take().item).toBe('a1')
  })
})
