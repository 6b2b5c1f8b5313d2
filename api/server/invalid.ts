import type { z } from 'zod'
import type { Refusal } from '../../domain/refusal.ts'

type Issue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

/**
 * What a schema says against a body or a query, as the refusal of one named
 * parameter: an unknown one first (a typo explains the missing one), then
 * whatever stands first in the schema.
 */
export function refusalOf(error: z.ZodError, input: unknown): Refusal {
  const issues = error.issues.map((issue) => concrete(issue, []))
  const first = issues.find(({ issue }) => issue.code === 'unrecognized_keys') ?? issues[0]
  if (first === undefined)
    return { code: 'parameter_invalid', message: 'The request is not valid.' }
  return refusalOfIssue(first.issue, first.path, input)
}

function refusalOfIssue(issue: Issue, path: Path, input: unknown): Refusal {
  if (issue.code === 'unrecognized_keys') {
    const param = dotted([...path, issue.keys[0] ?? ''])
    return { code: 'parameter_unknown', message: `Unknown parameter: ${param}.`, param }
  }
  const param = dotted(path)
  if (param === '') return { code: 'parameter_invalid', message: sentence('The body', issue) }
  if (valueAt(input, path) === undefined) {
    return { code: 'parameter_missing', message: `Missing required parameter: ${param}.`, param }
  }
  return { code: 'parameter_invalid', message: sentence(param, issue), param }
}

/** Goes into the branch of a union that came closest, and into a record's bad key. */
function concrete(issue: Issue, prefix: Path): { issue: Issue; path: Path } {
  const path = [...prefix, ...issue.path]
  if (issue.code === 'invalid_union') {
    const branch = closest(issue.errors)
    if (branch !== undefined) return concrete(branch, path)
  }
  return { issue, path }
}

function closest(branches: readonly (readonly Issue[])[]): Issue | undefined {
  const ranked = branches
    .map((issues) => ({ first: issues[0], misses: misses(issues) }))
    .sort((a, b) => a.misses - b.misses)
  return ranked[0]?.first
}

const WRONG_KIND = 100 // a branch of another type altogether is further off than any wrong field

function misses(issues: readonly Issue[]): number {
  return issues.reduce((sum, issue) => {
    if (issue.code === 'unrecognized_keys') return sum + issue.keys.length
    return sum + (issue.path.length === 0 ? WRONG_KIND : 1)
  }, 0)
}

function valueAt(input: unknown, path: Path): unknown {
  let value = input
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = Reflect.get(value, key)
  }
  return value
}

function dotted(path: Path): string {
  return path.map(String).join('.')
}

function sentence(subject: string, issue: Issue): string {
  const said = issue.message.replace(/^Invalid input: /, '').replace(/^Invalid option: /, '')
  return `${subject}: ${said}.`.replace(/\.\.$/, '.')
}
