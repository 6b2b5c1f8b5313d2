import { evaluate } from './expression/evaluate.ts'
import { parsedExpression } from './expression/parse.ts'
import type { Payload } from './expression/payload.ts'
import { ExpressionProblem } from './expression/tree.ts'
import { isRational, type Rational, shown, textOf, type Value } from './expression/value.ts'
import type { SealedCode } from './gift-card.ts'
import { MAX_MOVEMENT, type Rounding } from './points.ts'
import type { LimitWindow } from './reward.ts'

/** What a reactor may do. */
export const REACTION_TYPES = ['adjust_points', 'set_tier', 'issue_reward', 'emit_event'] as const

/** What became of a reactor for one event. */
export const REACTOR_OUTCOMES = ['activated', 'skipped', 'failed'] as const

/** What a reactor does. Texts named `points` and `payload` are expressions. */
export type Reaction =
  | { type: 'adjust_points'; points: string; allowNegative: boolean; reason?: string }
  | { type: 'set_tier'; tier: string }
  | { type: 'issue_reward'; reward: string; quantity: number }
  | { type: 'emit_event'; event: string; payload?: Record<string, string> }

type Limit = { activations: number; window: LimitWindow }
export type Limits = { per_user?: Limit; in_all?: Limit }

export type Rule = {
  readonly id: string
  readonly version: number
  readonly name: string
  readonly conditions: readonly string[]
  readonly reactions: readonly Reaction[]
  readonly active: boolean
  /** ISO 8601. */
  readonly created_at: string
  /** The start is included, the end is not. */
  readonly starts_at: string | null
  readonly ends_at: string | null
}

/** A reward to be given; a request adds what is made for it. See `reward_issue`. */
export type PlannedReward = {
  type: 'issue_reward'
  reward: string
  quantity: number
  redemption?: string
  code?: string
  /** How long a discount waits for its payment where neither reward nor program says. */
  hold_minutes?: number
  codes?: readonly SealedCode[]
}

/** A reaction worked out: `amount` is signed, in the program's smallest unit. */
type PlannedReaction =
  | {
      type: 'adjust_points'
      amount: number
      allow_negative: boolean
      reason: string
    }
  | { type: 'set_tier'; tier: string }
  | PlannedReward
  | { type: 'emit_event'; event: string; payload: unknown }

export type ReactionPlan = {
  readonly reactor: string
  readonly version: number
  readonly name: string
  readonly outcome: 'ready' | 'skipped' | 'failed'
  readonly reason?: 'inactive' | 'not_started' | 'ended' | 'condition_false' | 'expression_failed'
  readonly explanation: string
  readonly reactions: readonly PlannedReaction[]
}

type Scale = { readonly decimals: number; readonly rounding: Rounding }
type Occurrence = { readonly payload: Payload; readonly at: Date }

/** So much may a till's clock be wrong, either way. */
export const CLOCK_SKEW_MS = 300_000

/**
 * What a reactor makes of an event: what it would do, or why it does nothing. Limits and balances are
 * not its business; they are judged under the account's lock. An expression that fails fails the
 * reactor, whole.
 */
export function planReactor(rule: Rule, event: Occurrence, scale: Scale): ReactionPlan {
  const about = { reactor: rule.id, version: rule.version, name: rule.name }
  const skipped = (reason: ReactionPlan['reason'], explanation: string): ReactionPlan => {
    return { ...about, outcome: 'skipped', reason, explanation, reactions: [] }
  }
  const { active, created_at: createdAt, starts_at: startsAt, ends_at: endsAt } = rule
  if (!active) return skipped('inactive', 'The reactor is not active.')
  if (event.at.getTime() + CLOCK_SKEW_MS < Date.parse(createdAt)) {
    return skipped('not_started', `The reactor was made at ${new Date(createdAt).toISOString()}.`)
  }
  if (startsAt !== null && event.at < new Date(startsAt)) {
    return skipped('not_started', `The reactor starts at ${new Date(startsAt).toISOString()}.`)
  }
  if (endsAt !== null && event.at >= new Date(endsAt)) {
    return skipped('ended', `The reactor ended at ${new Date(endsAt).toISOString()}.`)
  }
  let where = ''
  try {
    const held: string[] = []
    for (const [index, condition] of rule.conditions.entries()) {
      where = `conditions[${index}]`
      const said = judged(condition, event.payload)
      if (!said.holds)
        return skipped('condition_false', `\`${condition}\` is false${said.because}.`)
      held.push(`\`${condition}\` holds${said.because}.`)
    }
    const reactions = rule.reactions.map((reaction, index) => {
      where = `reactions[${index}]`
      return planned(reaction, rule, event.payload, scale)
    })
    const explanation = held.length === 0 ? 'It has no conditions.' : held.join(' ')
    return { ...about, outcome: 'ready', explanation, reactions }
  } catch (error) {
    if (!(error instanceof ExpressionProblem)) throw error
    const explanation = `${where}: ${error.message}.`
    return { ...about, outcome: 'failed', reason: 'expression_failed', explanation, reactions: [] }
  }
}

const LONGEST_FACTS = 500 // characters of an explanation; what follows is left out

function judged(condition: string, payload: Payload): { holds: boolean; because: string } {
  const { value, seen } = evaluate(parsedExpression(condition), payload)
  if (typeof value !== 'boolean') {
    throw new ExpressionProblem(`a condition is true or false, not ${shown(value)}`, 1)
  }
  let facts = ''
  for (const [path, found] of seen) {
    if (facts.length > LONGEST_FACTS) {
      facts += ', …'
      break
    }
    facts += `${facts === '' ? '' : ', '}${path} is ${shown(found)}`
  }
  return { holds: value, because: facts === '' ? '' : ` (${facts})` }
}

function planned(reaction: Reaction, rule: Rule, payload: Payload, scale: Scale): PlannedReaction {
  switch (reaction.type) {
    case 'adjust_points': {
      const { value } = evaluate(parsedExpression(reaction.points), payload)
      if (!isRational(value)) {
        throw new ExpressionProblem(`points are a number, not ${shown(value)}`, 1)
      }
      const amount = unitsOfExact(value, scale)
      const { allowNegative: allow_negative, reason = rule.name } = reaction
      return { type: 'adjust_points', amount, allow_negative, reason }
    }
    case 'issue_reward':
      return reaction
    case 'set_tier':
      return { type: 'set_tier', tier: reaction.tier }
    case 'emit_event': {
      const emitted =
        reaction.payload === undefined ? payload.root : worked(reaction.payload, payload)
      payload.emit(emitted)
      return { type: 'emit_event', event: reaction.event, payload: emitted }
    }
  }
}

function worked(expressions: Record<string, string>, payload: Payload): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(expressions).map(([name, source]) => {
      const { value } = evaluate(parsedExpression(source), payload)
      return [name, jsonOf(value)]
    }),
  )
}

function jsonOf(value: Value): unknown {
  if (isRational(value)) {
    const text = textOf(value)
    return text.includes('/') ? Number(value.n) / Number(value.d) : Number(text)
  }
  if (Array.isArray(value)) return value.map(jsonOf)
  if (typeof value === 'object' && value !== null) {
    throw new ExpressionProblem('an object cannot be passed on in parts', 1)
  }
  return value
}

/** Exact points in the smallest unit, rounded once by the program's mode, alike for both signs. */
export function unitsOfExact(points: Rational, { decimals, rounding }: Scale): number {
  const sign = points.n < 0n ? -1 : 1
  const scaled = (points.n < 0n ? -points.n : points.n) * 10n ** BigInt(decimals)
  const whole = scaled / points.d
  const rest = scaled % points.d
  const up = rounding === 'up' ? rest > 0n : rounding === 'nearest' && 2n * rest >= points.d
  const units = Number(up ? whole + 1n : whole)
  if (units > MAX_MOVEMENT) {
    throw new ExpressionProblem(`${textOf(points)} points are more than may ever move`, 1)
  }
  return units === 0 ? 0 : sign * units
}
