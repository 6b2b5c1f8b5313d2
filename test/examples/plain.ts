import { createHash } from 'node:crypto'

const BEGINNING = Date.parse('2026-01-15T10:00:00.000Z')
const MICROSECONDS = (BEGINNING * 1_000).toString(16).padStart(13, '0') // as places in time have it
const STEP_MS = 600_000 // a run that takes less shows the same times; holds and deadlines are longer
const YEARS_MS = 3 * 366 * 86_400_000

/**
 * What differs from run to run in a text (ids, codes, secrets, times, addresses, durations) by what
 * is always the same: the n-th id of a kind, a time so long after the beginning.
 */
export function plain(text: string, startedMs: number): string {
  const known = new Map<string, string>()
  const counts = new Map<string, number>()
  const nth = (kind: string, value: string, write: (digest: Buffer) => string) => {
    const seen = known.get(value)
    if (seen !== undefined) return seen
    const n = (counts.get(kind) ?? 0) + 1
    counts.set(kind, n)
    const written = write(createHash('sha256').update(`${kind} ${n}`).digest())
    known.set(value, written)
    return written
  }
  const letters = (digest: Buffer, length: number) =>
    digest.toString('base64').replace(/[+/=]/g, '').slice(0, length)

  // A secret that happens to begin like an id is none.
  return text
    .replace(/("secret":\s*)"([\w-]{43})"/g, (_, key: string, secret: string) => {
      const plainly = nth('device', secret, (digest) => digest.toString('base64url'))
      return `${key}"${plainly}"`
    })
    .replace(/\b(q1\.idn_[0-9A-Za-z]+)\.\d+\.([\w-]{22})/g, (_, device: string, tag: string) => {
      const plainly = nth('tag', tag, (digest) => digest.subarray(0, 16).toString('base64url'))
      return `${device}.${BEGINNING / 30_000}.${plainly}`
    })
    .replace(
      /\b(vinr_session=|vinr_device=)[\w-]{43}/g,
      '$1ExampleExampleExampleExampleExampleExampleEx',
    )
    .replace(/\b(vinr_oidc=)[\w-]{100,}/g, '$1eyJzdGF0ZSI6Ii4uLiJ9')
    .replace(
      /("(?:csrf_token|Vinr-Csrf-Token|token)":\s*)"[\w-]{43}"/g,
      '$1"ExampleExampleExampleExampleExampleExampleEx"',
    )
    .replace(
      /\b(code_challenge|state|nonce)=[\w-]{43}/g,
      '$1=ExampleExampleExampleExampleExampleExampleEx',
    )
    .replace(/\b([sp]k_test_)[0-9A-Za-z]{32}\b/g, '$1Ab3dExampleExampleExampleExaWxyz')
    .replace(/("prefix":\s*"[sp]k_test_)\w{4}(",\s*"last4":\s*)"\w{4}"/g, '$1Ab3d$2"Wxyz"')
    .replace(/\b(tle|upc)_[0-9a-f]{13}_([a-z_]+)_[0-9A-Za-z]{22}\b/g, (place, list, kind) =>
      nth(list, place, (digest) => `${list}_${MICROSECONDS}_${kind}_${letters(digest, 22)}`),
    )
    .replace(/\bmc_[0-9A-Za-z]{26}\b/g, (card) =>
      nth('mc', card, (digest) => `mc_${letters(digest, 26)}`),
    )
    .replace(/\b(?!whsec_)([a-z]{2,5})_[0-9A-Za-z]{22}\b/g, (id, prefix: string) =>
      nth(prefix, id, (digest) => `${prefix}_${letters(digest, 22)}`),
    )
    .replace(/whsec_[A-Za-z0-9+/=]{20,}/g, (secret) =>
      nth('whsec', secret, (digest) => `whsec_${digest.toString('base64')}`),
    )
    .replace(/VINR(-[0-9A-Z]{4})+/g, (code) =>
      nth(
        'code',
        code,
        (digest) =>
          `VINR-${letters(digest, 12)
            .toUpperCase()
            .replace(/....(?=.)/g, '$&-')}`,
      ),
    )
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3}Z|(?:\.\d+)?\+00:00)/g, (time) =>
      shifted(time, startedMs),
    )
    .replace(/("created":\s*)\d{10}\b/g, `$1${BEGINNING / 1_000}`)
    .replace(/t=\d{10},v1=([0-9a-f]{64})/g, (_, hex: string) =>
      nth('hmac', hex, (digest) => `t=${BEGINNING / 1_000},v1=${digest.toString('hex')}`),
    )
    .replace(/http:\/\/127\.0\.0\.1:\d+\/docs/g, 'https://api.example/docs')
    .replace(/http:\/\/127\.0\.0\.1:\d+/g, 'https://shop.example')
    .replace(/("duration_ms":\s*)\d+/g, '$112')
}

/**
 * A time near the run, as long after the beginning in whole steps, its zone written as it was; any other
 * as it is.
 */
function shifted(time: string, startedMs: number): string {
  const after = Date.parse(time) - startedMs
  if (Math.abs(after) > YEARS_MS) return time
  const shown = new Date(BEGINNING + Math.floor(after / STEP_MS) * STEP_MS).toISOString()
  return time.endsWith('Z') ? shown : shown.replace('Z', '+00:00')
}
