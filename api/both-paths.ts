import type { Endpoint } from './declaration.ts'

/** The till's routes stand under `/v1` and at the root, where the tills' own documents call them. */
export function atBothPaths<P extends `/${string}`>(
  path: P,
  declare: (path: P | `/v1${P}`) => Endpoint,
): readonly [Endpoint, Endpoint] {
  return [declare(`/v1${path}`), declare(path)]
}
