import type { RequestIdentity } from '../db/idempotency.ts'

/** The request as its repeat is recognised by; `route` is the method and the path's template. */
export function identityOf(
  route: string,
  ctx: { workspace: string; idempotencyKey: string | undefined; fingerprint: string },
): RequestIdentity {
  const { workspace, idempotencyKey, fingerprint } = ctx
  return { workspace, route, key: idempotencyKey ?? null, fingerprint }
}
