import { z } from 'zod'
import { MOST_SETTINGS } from '../../db/settings.ts'
import { isApprovalSetting, wrongApprovalSetting } from '../../domain/approval.ts'
import { text } from './text.ts'

const LONGEST_VALUE = 1_000
const KEY = /^[A-Za-z][\w.-]{0,63}$/

const key = z
  .string()
  .regex(KEY, 'expected a letter, then letters, digits, dots, dashes or underscores; 64 at most')
const value = z.union([text(LONGEST_VALUE, 0), z.number(), z.boolean()])

const EXACT_DECIMAL = /^\d{1,12}(\.\d{1,12})?$/ // finer or larger is a typing error

const decimal = z
  .union([z.string(), z.number().transform(String)])
  .refine(
    (shown) => EXACT_DECIMAL.test(shown) && Number(shown) > 0,
    'expected a decimal above zero',
  )

const MOST_DAYS = 3_650

/** Settings the product reads itself. */
const KNOWN: Readonly<Record<string, z.ZodType>> = {
  pointsCurrencyValue: decimal,
  strict: z.boolean('expected true or false'),
  eventMaxAgeDays: z.number('expected a number of days').min(0).max(MOST_DAYS),
}

/** A flat object of texts, numbers and booleans. */
export const Settings = z
  .record(z.string(), value)
  .meta({ id: 'Settings', example: { pointsCurrencyValue: 0.01 } })

/** What is merged into the settings; null removes a key. */
export const SettingsChange = z
  .record(key, z.union([value, z.null()]))
  .refine((change) => Object.keys(change).length <= MOST_SETTINGS, 'has too many keys')
  .superRefine((change, ctx) => {
    for (const [name, schema] of Object.entries(KNOWN)) {
      if (!Object.hasOwn(change, name) || change[name] === null) continue
      for (const issue of schema.safeParse(change[name]).error?.issues ?? []) {
        ctx.addIssue({ code: 'custom', message: issue.message, path: [name] })
      }
    }
    for (const [name, given] of Object.entries(change)) {
      if (given === null || !isApprovalSetting(name)) continue
      const message = wrongApprovalSetting(name, given)
      if (message !== undefined) ctx.addIssue({ code: 'custom', message, path: [name] })
    }
  })
  .meta({
    id: 'SettingsChange',
    description: `At most ${MOST_SETTINGS} keys in all; null removes one. \`pointsCurrencyValue\` is what a point is worth in the major unit of the program's currency, as an exact decimal. \`strict: true\` makes every event strict whose request does not say otherwise. \`eventMaxAgeDays\` (7) is how far back a till may date an event. \`approvals.<role or key_ id>.points\`, \`.rows\` (whole numbers; false: no limit) and \`.reversals\` say above what an approval is needed, \`approvals.hours\` (72) how long it waits; they need the scope \`approvals:write\`, and nobody changes their own.`,
    example: { pointsCurrencyValue: 0.01 },
  })
