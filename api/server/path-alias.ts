import type { Endpoint } from './declaration.ts'

/** The till's routes stand under `/v1` and at the root, where the tills' own documents call them. */
export function withAlias<P extends `/${string}`>(
  path: P,
  declare: (path: P | `/v1${P}`) => Endpoint,
): readonly [Endpoint, Endpoint] {
  return [declare(`/v1${path}`), declare(path)]
}

/** The path under `/v1` of the same route: what is said of that one holds for its alias at the root. */
export const underV1 = (path: string): string => (path.startsWith('/v1/') ? path : `/v1${path}`)
