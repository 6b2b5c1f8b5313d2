import type { WalletView } from '../../db/wallets.ts'
import { accountObject } from '../../domain/objects/account.ts'
import { moneyFor, type PointRate, rateOfProgram, rateOfSetting } from '../../domain/point-rate.ts'
import { unitsOf } from '../../domain/points.ts'

/** What a point is worth: by the setting `pointsCurrencyValue`, else by the program's `pointValue`. */
export function rateOf({ program, pointsCurrencyValue }: WalletView): PointRate {
  return pointsCurrencyValue === null
    ? rateOfProgram(program.pointValue, program.currencyCode)
    : rateOfSetting(pointsCurrencyValue, program.currencyCode)
}

export const shownRate = ({ perPoint, currency }: PointRate) => ({
  pointsCurrencyValue: perPoint,
  currency,
})

/** A wallet as a till reads it. */
export function presentWallet(wallet: WalletView, livemode: boolean) {
  const { view, program, credits } = wallet
  const { decimals } = program
  const account = accountObject(view.row, { decimals, livemode }, view.lots, view.pending)
  const rate = rateOf(wallet)
  const { units } = unitsOf(account.balance, decimals, 'down')
  return {
    object: 'wallet' as const,
    user: account.id,
    status: account.status,
    points: account.balance,
    pending: account.pending_points,
    currency: { name: program.currencyName, code: program.currencyCode, decimals },
    // a fortune is shown as far as a JSON number counts exactly
    value: {
      amount: Math.min(moneyFor(units, decimals, rate), Number.MAX_SAFE_INTEGER),
      ...shownRate(rate),
    },
    tier: account.tier,
    expiring: account.expiring_points,
    credits,
    livemode,
  }
}
