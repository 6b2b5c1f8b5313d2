import { and, eq, sql } from 'drizzle-orm'
import { call } from './call.ts'
import { callIn } from './call-in-transaction.ts'
import type { RequestIdentity } from './idempotency.ts'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import { callOrRefusal } from './refusable-call.ts'
import type { IdentityAnswer } from './results/member.ts'
import { memberIdentity } from './schema/index.ts'
import { fromSnapshot, type Snapshot } from './snapshot.ts'
import type { SqlRefusal } from './sql-refusal.ts'
import { type WalletAnswer, type WalletView, walletOf } from './wallets.ts'
import { type Db, inWorkspace } from './workspace-client.ts'

export type IdentityRow = typeof memberIdentity.$inferSelect
type IdentityKind = IdentityRow['kind']

export type NewIdentity = Pick<IdentityRow, 'id' | 'account' | 'kind' | 'value' | 'label'>

/** `replayed`: the request's key, or this very identity, was registered on the member before. */
type Registration =
  | { row: IdentityRow; replayed: boolean; refusal?: undefined }
  | { refusal: SqlRefusal }

export async function registerIdentity(
  pool: Pool,
  r: RequestIdentity,
  i: NewIdentity,
  at: string,
): Promise<Registration> {
  const answer = await callOrRefusal<IdentityAnswer>(pool, 'member_identify', [
    r.workspace,
    i.id,
    i.account,
    i.kind,
    i.value,
    i.label,
    r.route,
    r.key,
    r.fingerprint,
    at,
  ])
  if ('refusal' in answer) return answer
  const row = fromSnapshot(memberIdentity, answer.identity)
  return { row, replayed: answer.outcome !== 'registered' }
}

/** Undefined where there is no such identity. */
export async function revokeIdentity(
  tx: Db,
  workspace: string,
  id: string,
  at: string,
): Promise<IdentityRow | undefined> {
  const row = await callIn<Snapshot | null>(tx, 'member_forget', [workspace, id, at])
  return row === null ? undefined : fromSnapshot(memberIdentity, row)
}

/** The workspace's pepper, base64; `fresh` becomes it where there is none yet. */
export const pepperOf = (pool: Pool, workspace: string, fresh: string): Promise<string> =>
  call<string>(pool, 'member_pepper_of', [workspace, fresh])

export type IdentityPresentation = {
  workspace: string
  kind: Exclude<IdentityKind, 'external_id'> | 'user'
  value: string
  /** Of a device's token. */
  step: number | null
  /** Who reads it: a device's token is answered to the first one alone. */
  by: string
}

/** Who was presented, as a wallet; undefined whatever is wrong. One round trip. */
export async function findPresented(
  pool: Pool,
  p: IdentityPresentation,
): Promise<WalletView | undefined> {
  const answer = await call<WalletAnswer | null>(pool, 'member_presented', [
    p.workspace,
    p.kind,
    p.value,
    p.step,
    p.by,
  ])
  return answer === null ? undefined : walletOf(answer)
}

export const findIdentity = (
  pool: Pool,
  workspace: string,
  id: string,
): Promise<IdentityRow | undefined> =>
  inWorkspace(pool, workspace, (db) => readIdentity(db, workspace, id))

export async function readIdentity(
  db: Db,
  workspace: string,
  id: string,
): Promise<IdentityRow | undefined> {
  const rows = await db
    .select()
    .from(memberIdentity)
    .where(and(eq(memberIdentity.workspace, workspace), eq(memberIdentity.id, id)))
  return rows[0]
}

/** The identities of a member and of all merged into it, revoked ones too. */
export const listIdentities = (
  pool: Pool,
  workspace: string,
  account: string,
  page: PageRequest,
): Promise<Page<IdentityRow>> =>
  inWorkspace(pool, workspace, (db) =>
    readPage(db, memberIdentity, page, [
      eq(memberIdentity.workspace, workspace),
      sql`${memberIdentity.account} in (select ledger.account_family(${workspace}, ${account}))`,
    ]),
  )
