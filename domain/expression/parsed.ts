import { parseExpression } from './parse.ts'
import type { Tree } from './tree.ts'

const parsed = new Map<string, Tree>()
const MOST_KEPT = 5_000 // every expression of a busy server's reactors, some 10 MB at most

/** The expression's tree, parsed once for its text. Throws ExpressionProblem. */
export function parsedExpression(source: string): Tree {
  const known = parsed.get(source)
  if (known !== undefined) return known
  const tree = parseExpression(source)
  const oldest = parsed.size >= MOST_KEPT ? parsed.keys().next().value : undefined
  if (oldest !== undefined) parsed.delete(oldest)
  parsed.set(source, tree)
  return tree
}
