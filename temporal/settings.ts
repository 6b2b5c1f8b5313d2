import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import {
  type ClientConfigProfile,
  type ClientConfigTLS,
  loadClientConfigProfile,
  toClientOptions,
} from '@temporalio/envconfig'
import type { NativeConnectionOptions } from '@temporalio/worker'

/** Where the server is and how it is spoken to: without TLS unless something asks for it. */
export type ConnectionSettings = { address: string; namespace: string } & Pick<
  NativeConnectionOptions,
  'tls' | 'apiKey' | 'metadata'
>

type Environment = Readonly<Record<string, string | undefined>>

const ADDRESS = '127.0.0.1:7233'
const NAMESPACE = 'default'
const HOST_AND_PORT = /^(\[[0-9A-Fa-f:.]+\]|[^\s:/]+)(:\d{1,5})?$/
const KEY = /^[\x21-\x7e]+$/ // it travels in a header

const SECRETS = {
  serverCACert: { variable: 'TEMPORAL_TLS_SERVER_CA_CERT', isGood: isCertificate },
  clientCert: { variable: 'TEMPORAL_TLS_CLIENT_CERT', isGood: isCertificate },
  clientKey: { variable: 'TEMPORAL_TLS_CLIENT_KEY', isGood: isPrivateKey },
} as const
type Secret = keyof typeof SECRETS

/**
 * The connection by Temporal's own variables and profiles, as its command line reads them. A file is
 * read only where `TEMPORAL_CONFIG_FILE` or `TEMPORAL_PROFILE` names one: what somebody keeps in a home
 * directory changes no server. Calls `wrong` with each variable that stands in the way.
 */
export function readConnection(
  environment: Environment,
  wrong: (variable: string, message: string) => void,
): ConnectionSettings {
  const profile = readProfile(environment, wrong)
  const address = profile.address ?? ADDRESS
  if (!HOST_AND_PORT.test(address)) wrong('TEMPORAL_ADDRESS', 'expected host:port, no scheme')
  if (profile.apiKey !== undefined && !KEY.test(profile.apiKey)) {
    wrong('TEMPORAL_API_KEY', 'expected a key without spaces and line ends')
  }
  if (/^(1|true)$/.test(environment.TEMPORAL_TLS_DISABLE_HOST_VERIFICATION ?? '')) {
    wrong(
      'TEMPORAL_TLS_DISABLE_HOST_VERIFICATION',
      'not possible here; TEMPORAL_TLS_SERVER_NAME says whose certificate is expected',
    )
  }
  const tls = profile.tls && readTls(profile.tls, environment, wrong)
  const { connectionOptions } = toClientOptions({ ...profile, tls })
  return {
    address,
    namespace: profile.namespace ?? NAMESPACE,
    tls: connectionOptions.tls,
    apiKey: connectionOptions.apiKey,
    metadata: connectionOptions.metadata,
  }
}

function readProfile(
  environment: Environment,
  wrong: (variable: string, message: string) => void,
): ClientConfigProfile {
  const { TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: profile } = environment
  const variable = file ? 'TEMPORAL_CONFIG_FILE' : 'TEMPORAL_PROFILE'
  for (const { variable } of Object.values(SECRETS)) {
    if (environment[`${variable}_PATH`] && environment[`${variable}_DATA`]) {
      wrong(`${variable}_PATH`, `not together with ${variable}_DATA`)
      return {}
    }
  }
  try {
    return loadClientConfigProfile({
      // Read here, because the library takes a file that is not there for an empty one.
      ...(file && { configSource: { data: readFileSync(file) } }),
      disableFile: !file && !profile,
      configFileStrict: true,
      overrideEnvVars: Object.fromEntries(
        Object.entries(environment).flatMap(([name, value]) => (value ? [[name, value]] : [])),
      ),
    })
  } catch (error) {
    wrong(variable, messageOf(error))
    return {}
  }
}

/** The same with its files read, so that one that is absent or holds something else is named at start. */
function readTls(
  tls: ClientConfigTLS,
  environment: Environment,
  wrong: (variable: string, message: string) => void,
): ClientConfigTLS {
  if (tls.disabled) return tls
  const nameOf = (secret: Secret) => {
    const { variable } = SECRETS[secret]
    const names = [`${variable}_PATH`, `${variable}_DATA`]
    return names.find((name) => environment[name]) ?? variable
  }
  const read: Partial<Record<Secret, string>> = {}
  for (const secret of ['serverCACert', 'clientCert', 'clientKey'] as const) {
    const source = tls[secret]
    if (source === undefined) continue
    try {
      const text = 'path' in source ? readFileSync(source.path) : source.data
      read[secret] = Buffer.from(text).toString()
    } catch (error) {
      wrong(nameOf(secret), messageOf(error))
      continue
    }
    if (!SECRETS[secret].isGood(read[secret])) {
      const kind = secret === 'clientKey' ? 'private key, without a passphrase,' : 'certificate'
      wrong(nameOf(secret), `expected a ${kind} in PEM`)
    }
  }
  const { clientCert, clientKey } = tls
  if (clientCert && !clientKey) wrong(nameOf('clientKey'), 'expected with a client certificate')
  if (clientKey && !clientCert) wrong(nameOf('clientCert'), 'expected with a client key')
  if (isOtherKey(read.clientCert, read.clientKey)) {
    wrong(nameOf('clientKey'), 'not the key of the client certificate')
  }
  const dataOf = (secret: Secret) =>
    read[secret] === undefined ? undefined : { data: read[secret] }
  return {
    ...tls,
    serverCACert: dataOf('serverCACert'),
    clientCert: dataOf('clientCert'),
    clientKey: dataOf('clientKey'),
  }
}

function isCertificate(pem: string): boolean {
  return succeeds(() => new X509Certificate(pem))
}

function isPrivateKey(pem: string): boolean {
  return succeeds(() => createPrivateKey(pem))
}

function isOtherKey(certificate = '', key = ''): boolean {
  if (!isCertificate(certificate) || !isPrivateKey(key)) return false
  return !new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))
}

function succeeds(parse: () => unknown): boolean {
  try {
    parse()
    return true
  } catch {
    return false // the caller names the variable; the parser's words would quote nothing useful
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
