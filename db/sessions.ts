import { SESSION_IDLE_MS } from '../domain/sign-in.ts'
import { sessionFind, sessionsOfUser } from './ledger.gen.ts'
import type { Pool } from './pool.ts'

const idleSince = () => new Date(Date.now() - SESSION_IDLE_MS)

/** The session that goes on, by its cookie's hash and, after a space, the workspace that the request is about. */
export async function findSession(pool: Pool, key: string) {
  const [hash = '', workspace = ''] = key.split(' ')
  const [row] = await sessionFind(pool, { hash, workspace, idleSince: idleSince() })
  if (row === undefined) return undefined
  const { id: session, user_id: user, email, name, expires_at: expiresAt, role, livemode } = row
  const member = role === null || livemode === null ? undefined : { role, livemode }
  return { session, user, email, name, expiresAt, member }
}

/** A person's sessions that go on, the newest first. */
export const listSessions = (pool: Pool, user: string) =>
  sessionsOfUser(pool, { user, idleSince: idleSince() })
