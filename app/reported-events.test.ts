import { describe, expect, it } from 'vitest'
import type { FoundEvent } from '../db/results/reported_event.ts'
import { Payload, TooSlow } from '../domain/expression/payload.ts'
import { planReactor, type Reaction, type Rule } from '../domain/reactor.ts'
import { planEvent } from './reported-events.ts'

const AT = new Date('2026-06-01T00:00:00Z')
const SCALE = { decimals: 0, rounding: 'down' } as const
const ONE: Reaction = { type: 'adjust_points', points: '1', allowNegative: true }

const rule = (conditions: string[], reactions: Reaction[] = [ONE]): Rule => ({
  id: 'rct_1',
  version: 1,
  name: 'Rule',
  conditions,
  reactions,
  active: true,
  created_at: '2026-05-01T00:00:00Z',
  starts_at: null,
  ends_at: null,
})

const plan = (rules: Rule[], payload: unknown) =>
  planEvent(
    { reactors: rules, decimals: 0, rounding: 'down' } as unknown as FoundEvent,
    payload,
    AT,
  )

describe('the reactors of one event', () => {
  it('have one budget of steps: those that come after its end fail, and say so', () => {
    const amounts = Array.from({ length: 800 }, (_, index) => index / 100)
    const conditions = Array.from({ length: 10 }, (_, index) => `${index} - 11 not in $.amounts`)
    const planned = plan(
      Array.from({ length: 50 }, () => rule(conditions)),
      { amounts },
    )
    const outcomes = planned.map(({ outcome }) => outcome)
    expect(outcomes.slice(0, 2)).toEqual(['ready', 'ready'])
    expect(outcomes.slice(2)).toEqual(Array.from({ length: 48 }, () => 'failed'))
    expect(planned.at(-1)?.explanation).toMatch(/take more than 20000 steps in all/)
  })

  it('find a path once, whoever asks for it', () => {
    let looked = 0
    const payload = {
      get amounts() {
        looked++
        return [1, 2, 3]
      },
    }
    const planned = plan(
      [rule(['1 in $.amounts', '2 in $.amounts']), rule(['3 in $.amounts'])],
      payload,
    )
    expect(planned.map(({ outcome }) => outcome)).toEqual(['ready', 'ready'])
    expect(planned[1]?.explanation).toBe('`3 in $.amounts` holds ($.amounts is [1, 2, 3]).')
    expect(looked).toBe(1)
  })

  it('pay more for numbers that a machine cannot reckon with at once', () => {
    const large = `(1 / 99999999999999999999${' + 1 / 77777777777777777773'.repeat(4)})`
    const conditions = Array.from({ length: 10 }, () => `${large} == ${large}`)
    const planned = plan(
      Array.from({ length: 50 }, () => rule(conditions)),
      {},
    )
    expect(planned.at(-1)?.explanation).toMatch(/steps in all/)
  })

  it('pass on a bounded amount of what they were given', () => {
    const emit: Reaction = { type: 'emit_event', event: 'sale.counted' }
    const rules = Array.from({ length: 50 }, () =>
      rule(
        [],
        Array.from({ length: 10 }, () => emit),
      ),
    )
    const outcomes = (text: string) => plan(rules, { text }).map(({ outcome }) => outcome)
    expect(new Set(outcomes('a'.repeat(1_000)))).toEqual(new Set(['ready']))
    expect(new Set(outcomes('a'.repeat(30_000)))).toEqual(new Set(['ready', 'failed']))
  })

  it('are explained in a bounded length', () => {
    const text = 'a'.repeat(60)
    const paths = Array.from({ length: 80 }, (_, index) => `$.a${index}`)
    const payload = Object.fromEntries(paths.map((path) => [path.slice(2), text]))
    const [planned] = plan([rule([`"b" not in [${paths.join(',')}]`])], payload)
    expect(planned?.outcome).toBe('ready')
    expect(planned?.explanation.length).toBeLessThan(1_200)
  })

  it('that take too long all the same are given up before anything is done', () => {
    const payload = new Payload({ amounts: Array.from({ length: 2_000 }, () => 1) }, () => true)
    const act = () => planReactor(rule(['1 in $.amounts']), { payload, at: AT }, SCALE)
    expect(act).toThrow(TooSlow)
  })
})
