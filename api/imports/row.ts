import { z } from 'zod'
import { pointsMoved } from '../schemas/amounts.ts'
import { id } from '../schemas/ids.ts'
import { metadata, text } from '../schemas/text.ts'
import { bodyTime } from '../schemas/times.ts'

const LONGEST_REASON = 200
const LONGEST_KEY = 255

/** One row of an import. */
export const ImportRow = z
  .strictObject({
    account: id('loy'),
    amount: pointsMoved,
    reason: text(LONGEST_REASON).default('import'),
    expires_at: bodyTime.optional(),
    key: text(LONGEST_KEY)
      .optional()
      .meta({ description: 'Tells rows apart that are otherwise the same.' }),
    metadata: metadata.default({}),
  })
  .refine(({ amount, expires_at }) => expires_at === undefined || amount > 0, {
    error: 'only a credit expires',
    path: ['expires_at'],
  })

const NUMBER = /^[+-]?\d{1,15}(\.\d{1,15})?$/

/** A CSV record in the form of an NDJSON row: empty fields are absent, `metadata.x` columns are its keys. */
export function rowOfRecord(record: Readonly<Record<string, string>>): Record<string, unknown> {
  const row = new Map<string, unknown>()
  const notes = new Map<string, string>()
  for (const [name, value] of Object.entries(record)) {
    if (value === '') continue
    if (name.startsWith('metadata.')) notes.set(name.slice('metadata.'.length), value)
    else row.set(name, name === 'amount' && NUMBER.test(value) ? Number(value) : value)
  }
  if (notes.size > 0) row.set('metadata', Object.fromEntries(notes))
  return Object.fromEntries(row)
}
