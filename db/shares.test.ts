import { describe, expect, it } from 'vitest'
import { type ShareLimits, Shares } from './shares.ts'

const LIMITS: ShareLimits = {
  connections: 8,
  perAccount: 2,
  waitingPerWorkspace: 10,
  waitingPerAccount: 4,
  waitMs: 60_000,
}

const TOO_MANY = { refusal: { code: 'too_many_requests' } }

/** Requests that hold their connection until they are ended, in the order in which they got it. */
function requestsOn(limits: Partial<ShareLimits> = {}) {
  const shares = new Shares({ ...LIMITS, ...limits })
  const began: string[] = []
  const ends = new Map<string, () => void>()
  const ask = (name: string, workspace: string, account?: string) =>
    shares.use(workspace, account, () => {
      began.push(name)
      return new Promise<void>((resolve) => ends.set(name, resolve))
    })
  return {
    began,
    ask,
    askFor: (count: number, workspace: string, account?: string) =>
      Array.from({ length: count }, (_, n) => ask(`${workspace}${n}`, workspace, account)),
    end: async (...names: string[]) => {
      for (const name of names) ends.get(name)?.()
      await new Promise(setImmediate)
    },
  }
}

describe('shares of connections', () => {
  it('one workspace alone holds three quarters; the next finds the rest', () => {
    const { askFor, began } = requestsOn()
    void askFor(9, 'a')
    expect(began).toEqual(['a0', 'a1', 'a2', 'a3', 'a4', 'a5'])
    void askFor(9, 'b')
    expect(began.slice(6)).toEqual(['b0', 'b1'])
  })

  it('what is given back goes to the workspace that has less', async () => {
    const { askFor, began, end } = requestsOn()
    void askFor(9, 'a')
    void askFor(9, 'b')
    await end('a0')
    expect(began.slice(8)).toEqual(['b2'])
    await end('a1', 'a2', 'a3')
    expect(began.slice(9)).toEqual(['a6']) // two were left: up to its three
  })

  it('many of one account leave the rest to the other accounts of the workspace', async () => {
    const { ask, askFor, began, end } = requestsOn()
    void askFor(4, 'a', 'loy_hot')
    void ask('other', 'a', 'loy_other')
    void ask('none', 'a')
    expect(began).toEqual(['a0', 'a1', 'other', 'none'])
    await end('a1')
    expect(began.slice(4)).toEqual(['a2'])
  })

  it('equal account ids of two workspaces are two accounts', () => {
    const { ask, began } = requestsOn({ perAccount: 1 })
    void ask('a', 'a', 'loy_1')
    void ask('b', 'b', 'loy_1')
    expect(began).toEqual(['a', 'b'])
  })

  it('those of a workspace come in the order in which they asked', async () => {
    const { askFor, began, end } = requestsOn({ connections: 1 })
    void askFor(4, 'a')
    await end('a0')
    await end('a1')
    await end('a2')
    expect(began).toEqual(['a0', 'a1', 'a2', 'a3'])
  })

  it('one too many of a workspace is refused, and takes no place', async () => {
    const { ask, askFor, began, end } = requestsOn({ connections: 4 })
    void askFor(3 + 10, 'a')
    await expect(ask('late', 'a')).rejects.toMatchObject(TOO_MANY)
    await end('a0')
    expect(began).toEqual(['a0', 'a1', 'a2', 'a3'])
  })

  it('one too many of an account is refused; the other accounts are served', async () => {
    const { ask, askFor, began } = requestsOn()
    void askFor(2 + 4, 'a', 'loy_hot')
    await expect(ask('late', 'a', 'loy_hot')).rejects.toMatchObject(TOO_MANY)
    void ask('other', 'a', 'loy_other')
    expect(began).toEqual(['a0', 'a1', 'other'])
  })

  it('one that waited too long is refused, and those behind it go on', async () => {
    const { ask, began, end } = requestsOn({ connections: 1, waitMs: 30 })
    void ask('first', 'a')
    await expect(ask('late', 'a')).rejects.toMatchObject({
      refusal: { code: 'temporarily_unavailable' },
    })
    void ask('next', 'a')
    await end('first')
    expect(began).toEqual(['first', 'next'])
  })

  it('work that fails gives its place back', async () => {
    const shares = new Shares({ ...LIMITS, connections: 1 })
    await expect(
      shares.use('a', 'loy_1', () => Promise.reject(new Error('broken'))),
    ).rejects.toThrow('broken')
    expect(await shares.use('a', 'loy_1', async () => 'done')).toBe('done')
  })
})
