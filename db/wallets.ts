import { type AccountView, viewOf } from './account-view.ts'
import { call } from './call.ts'
import type { Pool } from './pool.ts'
import type { Credit, WalletAnswer } from './results/member.ts'
import { program } from './schema/index.ts'
import { fromSnapshot } from './snapshot.ts'

export type { Credit, WalletAnswer } from './results/member.ts'

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
  const answer = await call<WalletAnswer | null>(pool, 'member_view', [workspace, user])
  return answer === null ? undefined : walletOf(answer)
}

export function walletOf(answer: WalletAnswer): WalletView {
  return {
    view: viewOf(answer.view),
    program: fromSnapshot(program, answer.program),
    pointsCurrencyValue: answer.points_currency_value,
    credits: answer.credits,
  }
}
