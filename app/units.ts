import { MAX_MOVEMENT, type Rounding, unitsOf } from '../domain/points.ts'
import { refuse } from '../domain/refusal.ts'

/**
 * Points moved, in the program's smallest unit, rounded by its mode. Refuses
 * invalid_precision where nothing is left, parameter_invalid beyond MAX_MOVEMENT.
 */
export function movementUnits(
  param: string,
  points: number,
  decimals: number,
  rounding: Rounding,
): number {
  const { units } = unitsOf(points, decimals, rounding)
  if (units === 0) {
    refuse('invalid_precision', `${param}: nothing is left of it in ${decimals} decimals.`, {
      param,
    })
  }
  return withinReach(param, units)
}

/** Points that must be exact, in the program's smallest unit; refuses invalid_precision where they are not. */
export function exactUnits(param: string, points: number, decimals: number): number {
  const { units, exact } = unitsOf(points, decimals, 'down')
  if (!exact) {
    refuse('invalid_precision', `${param}: the program has ${decimals} decimals.`, { param })
  }
  return withinReach(param, units)
}

function withinReach(param: string, units: number): number {
  if (Math.abs(units) > MAX_MOVEMENT) {
    refuse('parameter_invalid', `${param}: is larger than any movement may be.`, { param })
  }
  return units
}
