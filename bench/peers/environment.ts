/** What the bench tells a peer by its environment; a missing variable stops the process. */
export function required(name: string): string {
  const value = process.env[name]
  if (value === undefined || value === '') throw new Error(`${name} is not set`)
  return value
}

/** How long the points stay held without a payment, in milliseconds. */
export const HOLD_MS = Number(required('HOLD_MS'))
