import { type Rational, textOf } from './rational.ts'

/** Numbers are exact. What a path does not find is null; an object can only be compared with null. */
export type Value = Rational | string | boolean | null | readonly Value[] | Opaque
type Opaque = { readonly opaque: true }

export const isRational = (value: Value): value is Rational =>
  typeof value === 'object' && value !== null && 'n' in value

export const isList = (value: Value): value is readonly Value[] => Array.isArray(value)

const LONGEST_SHOWN = 60
const HALF_A_PAIR = /[\uD800-\uDBFF]$/ // what a cut leaves of a character cannot be stored

/** A value as an explanation shows it. */
export function shown(value: Value): string {
  const text = isRational(value)
    ? textOf(value)
    : isList(value)
      ? shownList(value)
      : typeof value === 'object' && value !== null
        ? 'an object'
        : JSON.stringify(value)
  if (text.length <= LONGEST_SHOWN) return text
  return `${text.slice(0, LONGEST_SHOWN).replace(HALF_A_PAIR, '')}…`
}

function shownList(items: readonly Value[]): string {
  let text = '['
  for (const [index, item] of items.entries()) {
    text += `${index === 0 ? '' : ', '}${shown(item)}`
    if (text.length > LONGEST_SHOWN) return text // the rest is cut off
  }
  return `${text}]`
}
