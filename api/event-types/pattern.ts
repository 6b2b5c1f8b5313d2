// A merchant's pattern runs on everybody's server: nothing in it may take longer than the text is worth.
const MOST_PATTERN = 200
const MOST_REPETITIONS = 4 // each may multiply the time by the text's length
const MOST_TEXT = 256

const ESCAPED_OR_CLASS = /\\.|\[(?:\\.|[^\]\\])*\]/gsu
const REPETITION = /[*+]|\{\d*,\d*\}/g
const REPEATED_GROUP = /\)(?:[*+]|\{)/
const BACKWARD = /\\[1-9]|\\k</

/** Why a pattern might take a server's time, or null. Repeated groups, look-around and back references are refused. */
export function patternProblem(pattern: string): string | null {
  if (pattern.length > MOST_PATTERN) return `is longer than ${MOST_PATTERN} characters`
  if (BACKWARD.test(pattern)) return 'refers back'
  const bare = pattern.replaceAll(ESCAPED_OR_CLASS, 'x')
  if (/\(\?[=!<]/.test(bare) && !/\(\?<[A-Za-z]/.test(bare)) return 'looks around'
  if (REPEATED_GROUP.test(bare)) return 'repeats a group; repeat a character or a class instead'
  const repetitions = bare.match(REPETITION)?.length ?? 0
  return repetitions > MOST_REPETITIONS ? `has more than ${MOST_REPETITIONS} repetitions` : null
}

type Matcher = { test(text: string): boolean }

/** A pattern that holds for no text longer than 256 characters. */
export function boundedRegExp(pattern: string, flags: string): Matcher {
  const expression = new RegExp(pattern, flags)
  return { test: (text) => text.length <= MOST_TEXT && expression.test(text) }
}
// the name by which code made from a schema would find it; nothing here writes such code
boundedRegExp.code = 'boundedRegExp'
