import { and, eq, sql } from 'drizzle-orm'
import { type AccountView, viewOf } from './accounts.ts'
import { memberPresented, memberView } from './ledger.gen.ts'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import type { Credit, WalletAnswer } from './results/member.ts'
import { memberIdentity, program } from './schema/index.ts'
import { fromSnapshot, type Snapshot } from './snapshot.ts'
import { type Db, inWorkspace } from './workspace-client.ts'

/** A member as a till sees it; points in the smallest unit. `pointsCurrencyValue` where the settings say it. */
export type WalletView = {
  view: AccountView
  program: typeof program.$inferSelect
  pointsCurrencyValue: number | string | null
  credits: Credit[]
}

/** The wallet of a user (`loy_` id or external id), of a merged one its survivor's. One round trip. */
export async function findWallet(
  pool: Pool,
  workspace: string,
  user: string,
): Promise<WalletView | undefined> {
  const answer = await memberView(pool, { workspace, user })
  return answer === null ? undefined : walletOf(answer)
}

function walletOf(answer: WalletAnswer): WalletView {
  return {
    view: viewOf(answer.view),
    program: fromSnapshot(program, answer.program),
    pointsCurrencyValue: answer.points_currency_value,
    credits: answer.credits,
  }
}

export type IdentityRow = typeof memberIdentity.$inferSelect
type IdentityKind = IdentityRow['kind']

export type NewIdentity = Pick<IdentityRow, 'id' | 'account' | 'kind' | 'value' | 'label'>

/** The row behind what a ledger function answers. */
export const readIdentityRow = (snapshot: Snapshot): IdentityRow =>
  fromSnapshot(memberIdentity, snapshot)

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
  presented: IdentityPresentation,
): Promise<WalletView | undefined> {
  const answer = await memberPresented(pool, presented)
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
