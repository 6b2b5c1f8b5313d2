import { RE2JS } from 're2js'

// A merchant's pattern runs on a server that others use too. RE2's time is that of text x pattern, so
// both are bounded; 256 characters hold any code, number or name that a till sends.
const MOST_PATTERN = 200
const MOST_TEXT = 256

type Matcher = { test(text: string): boolean }

/** Why no new schema may have this pattern, or null: no pattern of ECMA-262, or none that RE2 takes. */
export function patternProblem(pattern: string): string | null {
  if (pattern.length > MOST_PATTERN) return `is longer than ${MOST_PATTERN} characters`
  try {
    linear(new RegExp(pattern, 'u').source)
    return null
  } catch (error) {
    return `is not taken: ${error instanceof Error ? error.message : String(error)}`
  }
}

/**
 * The pattern as a schema means it, for texts of at most 256 characters; it holds for no longer one. In
 * linear time where RE2 takes it. One that was stored before RE2 and that it does not take is
 * backtracked: only for a thread that is stopped when it takes too long.
 */
export function matcherOf(pattern: string): Matcher {
  const expression = patternProblem(pattern) === null ? linear(pattern) : new RegExp(pattern, 'u')
  return { test: (text) => text.length <= MOST_TEXT && expression.test(text) }
}

const linear = (pattern: string) => RE2JS.compile(RE2JS.translateRegExp(asRe2(pattern)))

// What ECMA-262 and RE2 spell alike and mean differently, as ECMA-262 means it.
const LINE_END = '\\n\\r\\x{2028}\\x{2029}'
const SPACE = `\\t\\n\\v\\f\\r \\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}\\x{205F}\\x{3000}\\x{FEFF}`
const NO_SPACE = `\\x00-\\x08\\x0E-\\x1F!-\\x{9F}\\x{A1}-\\x{167F}\\x{1681}-\\x{1FFF}\\x{200B}-\\x{2027}\\x{202A}-\\x{202E}\\x{2030}-\\x{205E}\\x{2060}-\\x{2FFF}\\x{3001}-\\x{FEFE}\\x{FF00}-\\x{10FFFF}`
const PAIR = /\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})/giu
const TOKEN = /\\.|[\s\S]/gu

function asRe2(pattern: string): string {
  const paired = pattern.replaceAll(PAIR, (_pair, high: string, low: string) => {
    const codePoint = ((parseInt(high, 16) - 0xd800) << 10) + parseInt(low, 16) - 0xdc00 + 0x10000
    return `\\u{${codePoint.toString(16)}}`
  })
  let inClass = false
  return paired.replaceAll(TOKEN, (token) => {
    if (token === '\\s') return inClass ? SPACE : `[${SPACE}]`
    if (token === '\\S') return inClass ? NO_SPACE : `[${NO_SPACE}]`
    if (inClass) {
      if (token === ']') inClass = false
      return token === '[' ? '\\[' : token // [[:alpha:]] is a class of its own to RE2
    }
    if (token === '[') inClass = true
    return token === '.' ? `[^${LINE_END}]` : token
  })
}
