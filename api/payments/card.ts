import { refuse } from '../../domain/refusal.ts'

/** What a sandbox card does: complete, be declined for good, or wait for a confirmation. */
export type CardOutcome = 'completed' | 'failed' | 'awaits_confirmation'

/** The sandbox's cards, by number without spaces. */
const CARDS: ReadonlyMap<string, CardOutcome> = new Map([
  ['4242424242424242', 'completed'],
  ['4000000000000002', 'failed'],
  ['4000000000003220', 'awaits_confirmation'],
])

/** What the card does; refuses one that the sandbox does not know, without repeating it. */
export function outcomeOfCard(number: string): CardOutcome {
  return (
    CARDS.get(number) ??
    refuse('parameter_invalid', 'card: the sandbox does not know it.', { param: 'card' })
  )
}
