import { databaseNow } from '../../db/clock.ts'
import { readEndOf } from '../../db/day.ts'
import type { Moment } from '../../domain/moment.ts'
import { refuse } from '../../domain/refusal.ts'

/** The instant that a report is as of, a day's being its end; null: now. Refuses one that is still to come. */
export async function pastEndOf(
  where: Parameters<typeof readEndOf>[0],
  at: Moment | undefined,
): Promise<Date | null> {
  if (at === undefined) return null
  const end = await readEndOf(where, at)
  if (end > (await databaseNow(where.pool))) {
    const what = at instanceof Date ? 'must not be in the future' : `${at.day} has not ended`
    refuse('parameter_invalid', `at: ${what}.`, { param: 'at' })
  }
  return end
}
