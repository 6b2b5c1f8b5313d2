const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'))

/** Whether this is an ISO 4217 code, in either case; withdrawn ones too, because old payments are still refunded. */
export const isCurrency = (code: string): boolean =>
  code.length === 3 && CURRENCIES.has(code.toUpperCase())

// ISO 4217's own list, not how a currency is shown: Intl prints HUF and IQD without the digits they have.
const NO_DIGITS = 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'
const THREE_DIGITS = 'BHD IQD JOD KWD LYD OMR TND'
const FOUR_DIGITS = 'CLF UYW'

const MINOR_DIGITS: ReadonlyMap<string, number> = new Map([
  ...NO_DIGITS.split(' ').map((code) => [code, 0] as const),
  ...THREE_DIGITS.split(' ').map((code) => [code, 3] as const),
  ...FOUR_DIGITS.split(' ').map((code) => [code, 4] as const),
])

/** How many digits a currency's minor unit has by ISO 4217: 2 for EUR and HUF, 0 for JPY, 3 for IQD. */
export const minorDigits = (currency: string): number =>
  MINOR_DIGITS.get(currency.toUpperCase()) ?? 2

/**
 * Where Stripe counts otherwise than ISO 4217: its zero- and three-decimal currencies are ISO's but
 * for the ariary, and two that lost their decimals are still sent with two, always 00
 * (docs.stripe.com/currencies, "Zero-decimal currencies" and "Special cases").
 */
const STRIPE_DIGITS: ReadonlyMap<string, number> = new Map([
  ['ISK', 2],
  ['UGX', 2],
  ['MGA', 0],
])

/** By how many digits Stripe's unit of a currency is finer than ISO's; 0 for nearly all. */
export const stripeDigitsBeyondIso = (currency: string): number =>
  (STRIPE_DIGITS.get(currency.toUpperCase()) ?? minorDigits(currency)) - minorDigits(currency)
