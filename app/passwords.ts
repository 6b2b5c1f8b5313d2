import { hash, verify } from '@node-rs/argon2'
import { refuse } from '../domain/refusal.ts'

const ARGON2ID = 2 // of the library's enum, which is not there at run time
// OWASP's first choice for it: 19 MiB, two passes; some 30 ms of one core.
const COST = { algorithm: ARGON2ID, memoryCost: 19_456, timeCost: 2, parallelism: 1 }
const AT_ONCE = 2 // each takes 19 MiB and a thread of four
const MOST_WAITING = 64 // a second of work: whoever floods sign-in floods that alone

/** Of nobody: an e-mail that is not known costs the same time. */
const NOBODY = hash('nobody has this password', COST)

let running = 0
const waiting: (() => void)[] = []

/** Some at a time, so that sign-ins take neither the threads nor the memory of everything else. */
async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (waiting.length >= MOST_WAITING) refuse('too_many_requests', 'Too many sign at once.')
  if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve))
  else running++
  try {
    return await work()
  } finally {
    const next = waiting.shift()
    if (next === undefined) running--
    else next()
  }
}

/** What is kept of a password, argon2id. */
export const hashPassword = (password: string): Promise<string> =>
  inTurn(() => hash(password, COST))

/** Whether it is the password that was hashed; without a hash it takes as long, and is not. */
export const isPassword = (kept: string | null | undefined, password: string): Promise<boolean> =>
  inTurn(async () => {
    const right = await verify(kept ?? (await NOBODY), password)
    return right && typeof kept === 'string'
  })
