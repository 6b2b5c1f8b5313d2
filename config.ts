import { z } from 'zod'
import { type ConnectionSettings, readConnection } from './temporal/settings.ts'

const url = (protocols: RegExp) => z.url({ protocol: protocols })
const text = z.string().min(1)

const CODE_KEY_BYTES = 32 // AES-256
const KEY_NAME = /^[0-9A-Za-z_-]{1,20}$/ // it stands in every sealed text, before a dot

type CodeKey = { readonly id: string; readonly key: Buffer }

/** The environment of every process, parsed once. What is missing or wrong is named at start. */
const Environment = z.object({
  DATABASE_URL: url(/^postgres(ql)?$/),
  DATABASE_POOL: z.coerce.number().int().min(1).max(200).default(16),
  // Temporal's own variables, with its meaning; temporal/settings.ts puts them together.
  TEMPORAL_ADDRESS: text.optional(),
  TEMPORAL_NAMESPACE: text.optional(),
  TEMPORAL_API_KEY: text.optional(),
  TEMPORAL_TLS: z.enum(['true', 'false', '1', '0']).optional(),
  TEMPORAL_TLS_SERVER_NAME: text.optional(),
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: text.optional(),
  TEMPORAL_TLS_SERVER_CA_CERT_DATA: text.optional(),
  TEMPORAL_TLS_CLIENT_CERT_PATH: text.optional(),
  TEMPORAL_TLS_CLIENT_CERT_DATA: text.optional(),
  TEMPORAL_TLS_CLIENT_KEY_PATH: text.optional(),
  TEMPORAL_TLS_CLIENT_KEY_DATA: text.optional(),
  TEMPORAL_CONFIG_FILE: text.optional(),
  TEMPORAL_PROFILE: text.optional(),
  TEMPORAL_TASK_QUEUE: text.default('engagement'),
  HOST: text.default('0.0.0.0'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  WORKER_METRICS_PORT: z.coerce.number().int().min(0).max(65_535).default(9464),
  // A listener of its own for /metrics, which is then nowhere else.
  METRICS_ADDRESS: z.string().transform(addressOf).optional(),
  METRICS_TOKEN: z.string().min(16).optional(),
  // How long a redemption waits for its payment where neither reward nor program says; fractions allowed, as theirs.
  HOLD_MINUTES: z.coerce.number().min(0.01).max(525_600).default(30),
  // Hashes members' phones and cards together with what the database holds; long, random, never changed.
  MEMBER_PEPPER: z.string().min(16).optional(),
  // How many days the request log is kept; 0: nothing is written down.
  REQUEST_LOG_DAYS: z.coerce.number().int().min(0).max(3_660).default(30),
  // How many days what a provider's event said is kept after it came; 0: until it is processed.
  INBOX_PAYLOAD_DAYS: z.coerce.number().int().min(0).max(3_660).default(30),
  RATE_LIMIT_PER_SECOND: z.coerce.number().int().min(1).default(1_000),
  TRUST_PROXY: text.optional().transform(trustOf),
  // The origin that people and programs reach this server by; https makes cookies secure behind a proxy.
  PUBLIC_URL: url(/^https?$/).optional(),
  // The page that takes one-time tokens.
  SIGN_IN_URL: url(/^https?$/).optional(),
  SMTP_URL: url(/^smtps?$/).optional(),
  MAIL_FROM: text.optional(),
  OIDC_ISSUER: url(/^https?$/).optional(),
  OIDC_CLIENT_ID: text.optional(),
  OIDC_CLIENT_SECRET: text.optional(),
  OIDC_REDIRECT_URL: url(/^https?$/).optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  WEBHOOK_ALLOWED_ADDRESSES: z.string().default(''),
  // Seals gift card codes: name:base64 pairs, comma-separated; the first one seals, all of them open.
  GIFT_CODE_KEYS: z
    .string()
    .default('')
    .transform(codeKeysOf)
    .refine(areCodeKeys, 'expected name:key pairs, each key 32 bytes in base64, each name once'),
  // Made at build time in an image; where it is not set the worker bundles its workflows itself.
  WORKFLOW_BUNDLE: text.optional(),
})

export type Config = {
  databaseUrl: string
  databasePool: number
  temporal: ConnectionSettings & { taskQueue: string }
  host: string
  port: number
  workerMetricsPort: number
  metricsAddress: { host: string; port: number } | undefined
  metricsToken: string | undefined
  holdMinutes: number
  memberPepper: string | undefined
  requestLogDays: number
  inboxPayloadDays: number
  rateLimitPerSecond: number
  /** As Express's `trust proxy` takes it. */
  trustProxy: boolean | number | string
  publicUrl: string | undefined
  people: {
    signInUrl: string | undefined
    mail: { smtpUrl: string; from: string } | undefined
    oidc:
      | { issuer: string; clientId: string; clientSecret: string; redirectUrl: string }
      | undefined
  }
  logLevel: z.infer<typeof Environment>['LOG_LEVEL']
  webhookAllowedAddresses: string[]
  giftCodeKeys: readonly CodeKey[]
  workflowBundle: string | undefined
}

/** Reads the configuration; throws one error that lists every variable in the way. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  // An empty variable, as compose files make them, is one not set.
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  const parsed = Environment.safeParse(set)
  const wrong = (parsed.error?.issues ?? []).map(
    (issue) => `  ${issue.path.join('.')}: ${issue.message}`,
  )
  const connection = readConnection(set, (variable, message) => {
    wrong.push(`  ${variable}: ${message}`)
  })
  wrong.push(...incomplete(set))
  if (!parsed.success || wrong.length > 0) {
    throw new Error(`The environment is not complete:\n${wrong.join('\n')}`)
  }
  const env = parsed.data
  return {
    databaseUrl: env.DATABASE_URL,
    databasePool: env.DATABASE_POOL,
    temporal: { ...connection, taskQueue: env.TEMPORAL_TASK_QUEUE },
    host: env.HOST,
    port: env.PORT,
    workerMetricsPort: env.WORKER_METRICS_PORT,
    metricsAddress: env.METRICS_ADDRESS,
    metricsToken: env.METRICS_TOKEN,
    holdMinutes: env.HOLD_MINUTES,
    memberPepper: env.MEMBER_PEPPER,
    requestLogDays: env.REQUEST_LOG_DAYS,
    inboxPayloadDays: env.INBOX_PAYLOAD_DAYS,
    rateLimitPerSecond: env.RATE_LIMIT_PER_SECOND,
    trustProxy: env.TRUST_PROXY,
    publicUrl: env.PUBLIC_URL?.replace(/\/+$/, ''),
    people: { signInUrl: env.SIGN_IN_URL, mail: mailOf(env), oidc: oidcOf(env) },
    logLevel: env.LOG_LEVEL,
    webhookAllowedAddresses: env.WEBHOOK_ALLOWED_ADDRESSES.split(',')
      .map((part) => part.trim())
      .filter(Boolean),
    giftCodeKeys: env.GIFT_CODE_KEYS,
    workflowBundle: env.WORKFLOW_BUNDLE,
  }
}

type Parsed = z.output<typeof Environment>

function mailOf({ SMTP_URL: smtpUrl, MAIL_FROM: from }: Parsed): Config['people']['mail'] {
  return smtpUrl === undefined || from === undefined ? undefined : { smtpUrl, from }
}

function oidcOf(env: Parsed): Config['people']['oidc'] {
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId } = env
  const { OIDC_CLIENT_SECRET: clientSecret, OIDC_REDIRECT_URL: redirectUrl } = env
  if (!issuer || !clientId || !clientSecret || !redirectUrl) return undefined
  return { issuer, clientId, clientSecret, redirectUrl }
}

/** Variables that mean nothing without the others of their group. */
const GROUPS = [
  ['SMTP_URL', 'MAIL_FROM'],
  ['OIDC_ISSUER', 'OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET', 'OIDC_REDIRECT_URL'],
]

function incomplete(set: Record<string, string | undefined>): string[] {
  return GROUPS.flatMap((group) => {
    const unset = group.filter((name) => set[name] === undefined)
    return unset.length === group.length
      ? []
      : unset.map(
          (name) =>
            `  ${name}: is not set, beside ${group.find((other) => set[other] !== undefined)}`,
        )
  })
}

function addressOf(text: string, context: z.RefinementCtx): { host: string; port: number } {
  const [, inBrackets, plain, digits] =
    /^(?:\[([\da-f:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/i.exec(text) ?? []
  const [host, port] = [inBrackets ?? plain, Number(digits)]
  if (host !== undefined && port <= 65_535) return { host, port }
  context.addIssue('expected host:port, with an IPv6 address in brackets')
  return z.NEVER
}

/** `true`, a number of hops, or addresses. */
function trustOf(setting: string | undefined): boolean | number | string {
  if (setting === undefined || setting === 'false') return false
  if (setting === 'true') return true
  return /^\d+$/.test(setting) ? Number(setting) : setting
}

function codeKeysOf(text: string): CodeKey[] {
  const parts = text.split(',').map((part) => part.trim())
  return parts.filter(Boolean).map((part) => {
    const [id = '', encoded = ''] = part.split(':')
    return { id, key: Buffer.from(encoded, 'base64') }
  })
}

function areCodeKeys(keys: readonly CodeKey[]): boolean {
  const names = new Set(keys.map(({ id }) => id))
  const good = keys.every(({ id, key }) => KEY_NAME.test(id) && key.length === CODE_KEY_BYTES)
  return good && names.size === keys.length
}
