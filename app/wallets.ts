import type { WalletView } from '../db/wallets.ts'
import { type PointRate, rateOfProgram, rateOfSetting } from '../domain/points.ts'

/** What a point is worth: by the setting `pointsCurrencyValue`, else by the program's `pointValue`. */
export function rateOf({ program, pointsCurrencyValue }: WalletView): PointRate {
  return pointsCurrencyValue === null
    ? rateOfProgram(program.pointValue, program.currencyCode)
    : rateOfSetting(pointsCurrencyValue, program.currencyCode)
}
