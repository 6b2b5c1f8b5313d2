import { refuse } from '../../domain/refusal.ts'

type Period = { readonly startsAt: Date | null; readonly endsAt: Date | null }

/** Refuses a change after which `what` would end before it starts, by the field that was changed. */
export function refuseReversed(
  what: string,
  before: Period,
  change: {
    readonly startsAt?: Date | null | undefined
    readonly endsAt?: Date | null | undefined
  },
): void {
  const { startsAt = before.startsAt, endsAt = before.endsAt } = change
  if (startsAt === null || endsAt === null || startsAt < endsAt) return
  const param = change.endsAt === undefined ? 'starts_at' : 'ends_at'
  refuse('parameter_invalid', `${param}: the ${what} would end before it starts.`, { param })
}
