import { setImmediate } from 'node:timers/promises'
import type { PaymentSecret } from '../../db/payment-secrets.ts'
import { Refused } from '../../domain/refusal.ts'
import type { Provider, Verification } from './provider.ts'

const MEGABYTE = 2 ** 20
const SLICE_BYTES = 8 * MEGABYTE // hashed in some 5 ms: nobody waits longer for the thread
const SEARCH_BYTES = 256 * MEGABYTE
const MOST_WAITING = 20
const RECENT = 16 // endpoints that are tried before any search, last used first

type Search = {
  readonly provider: Provider
  readonly given: Verification<PaymentSecret>
  /** Asked before a long search: whether it may be made at all. */
  readonly mayStart: () => Promise<void>
}

/** The secret that made a signature; undefined: none did. */
export type FindSigner = (search: Search) => Promise<PaymentSecret | undefined>

/**
 * Finds who signed among the secrets of many tenants. Each costs a hash of the whole body, so what one
 * request may cost is bounded: little is tried at once; more is tried in slices, one search at a time in
 * this process, after the endpoints that were right lately. Refused: body_too_large, a body that times
 * its secrets is more than a search may hash; temporarily_unavailable where too many searches wait.
 */
export function signerSearch({
  sliceBytes = SLICE_BYTES,
  searchBytes = SEARCH_BYTES,
} = {}): FindSigner {
  let recent: readonly string[] = []
  let waiting = 0
  let last: Promise<unknown> = Promise.resolve()

  const note = (signer: PaymentSecret | undefined) => {
    if (signer !== undefined && recent[0] !== signer.endpoint) {
      recent = [signer.endpoint, ...recent.filter((id) => id !== signer.endpoint)].slice(0, RECENT)
    }
    return signer
  }

  return async ({ provider, given, mayStart }) => {
    const { secrets } = given
    const cost = given.body.length * secrets.length
    if (cost <= sliceBytes) return provider.verify(given)
    const known = recent.flatMap((id) => secrets.filter(({ endpoint }) => endpoint === id))
    const signer = await inSlices(provider, { ...given, secrets: known }, sliceBytes)
    if (signer !== undefined) return note(signer)
    await mayStart()
    if (cost > searchBytes) throw tooLarge()
    if (waiting >= MOST_WAITING) throw busy()
    waiting++
    const search = last.then(() => inSlices(provider, given, sliceBytes))
    last = search.catch(() => undefined) // whoever asked for it is told
    try {
      return note(await search)
    } finally {
      waiting--
    }
  }
}

async function inSlices(
  provider: Provider,
  given: Verification<PaymentSecret>,
  sliceBytes: number,
): Promise<PaymentSecret | undefined> {
  const { secrets, body } = given
  const step = Math.max(1, Math.floor(sliceBytes / Math.max(1, body.length)))
  for (let from = 0; from < secrets.length; from += step) {
    const signer = provider.verify({ ...given, secrets: secrets.slice(from, from + step) })
    if (signer !== undefined) return signer
    await setImmediate()
  }
  return undefined
}

const tooLarge = () =>
  new Refused({
    code: 'body_too_large',
    message: "The body is too large for the shared address; send it to the endpoint's own.",
  })

const busy = () =>
  new Refused({
    code: 'temporarily_unavailable',
    message: "Too many events wait at the shared address; use the endpoint's own, or try again.",
  })
