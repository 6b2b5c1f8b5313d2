import type { FuncKeywordDefinition } from 'ajv'

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/

/** Whether one JSON number divides another, as both are written: 19.99 is 1,999 times 0.01. */
export function isMultiple(value: number, of: number): boolean {
  if (Number.isSafeInteger(value) && Number.isSafeInteger(of)) return value % of === 0
  const [a, b] = [scaled(value), scaled(of)]
  const scale = Math.max(a.scale, b.scale)
  const units = ({ digits, scale: own }: Scaled) => digits * 10n ** BigInt(scale - own)
  return units(a) % units(b) === 0n
}

type Scaled = { readonly digits: bigint; readonly scale: number }

function scaled(value: number): Scaled {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = DECIMAL.exec(String(value)) ?? []
  return { digits: BigInt(`${sign}${whole}${fraction}`), scale: fraction.length - Number(exponent) }
}

/** Ajv's own divides in floating point, and refuses 19.99 as a multiple of 0.01. */
export const multipleOf: FuncKeywordDefinition = {
  keyword: 'multipleOf',
  type: 'number',
  schemaType: 'number',
  errors: false,
  error: { message: ({ schema }) => `must be multiple of ${schema}` },
  validate: (of: number, value: number) => isMultiple(value, of),
}
