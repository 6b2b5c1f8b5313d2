import type { IdentityRow } from '../../db/identities.ts'

/** An identity as the API shows it: of a phone or a card not even its hash. */
export function presentIdentity(row: IdentityRow, livemode: boolean) {
  return {
    id: row.id,
    object: 'member_identity' as const,
    account: row.account,
    kind: row.kind,
    ...(row.kind === 'external_id' && { external_id: row.value }),
    label: row.label,
    created_at: row.createdAt.toISOString(),
    revoked_at: row.revokedAt?.toISOString() ?? null,
    livemode,
  }
}
