import { makerOfKey } from '../db/approvals.ts'
import type { Pool } from '../db/pool.ts'
import type { Settings } from '../db/results/workspace.ts'
import { readSettings } from '../db/settings.ts'
import { roleOf } from '../db/team-members.ts'
import { type Db, inWorkspace, transact } from '../db/workspace-client.ts'
import type { Maker } from '../domain/actor.ts'
import {
  type ApprovalLimits,
  approvalLimits,
  approvalTermMs,
  hasLimitedKey,
  NO_LIMITS,
  strictest,
} from '../domain/approval.ts'
import { refuse } from '../domain/refusal.ts'
import { ttlCache } from './ttl-cache.ts'

// A limit that another process changed holds here after at most this.
const SETTINGS_MS = 2_000
const MOST_WORKSPACES = 1_000

/** Above what a workspace's people and keys need an approval. */
export type ApprovalRules = {
  limitsOf(workspace: string, actor: Maker): Promise<ApprovalLimits>
  /** Milliseconds from the asking until an approval expires. */
  termMs(workspace: string): Promise<number>
  /** What this process has changed holds in it at once. */
  forget(workspace: string): void
}

export function approvalRulesFrom(pool: Pool): ApprovalRules {
  const settings = ttlCache<Settings>((workspace) => readSettings(pool, workspace), {
    ttlMs: SETTINGS_MS,
    most: MOST_WORKSPACES,
  })
  return {
    limitsOf: async (workspace, { type, id }) => {
      if (type === 'api_key') return limitsOfKey(pool, workspace, await settings(workspace), id)
      const role = await transact(pool, workspace, (tx) => roleOf(tx, workspace, id))
      if (role !== undefined) return approvalLimits(await settings(workspace), { role })
      return refuse('role_not_allowed', 'This needs a role in the workspace.')
    },
    termMs: async (workspace) => approvalTermMs(await settings(workspace)),
    forget: settings.forget,
  }
}

/** The strictest of the key's own limits and those of the keys that made it: what it made is limited as it is. */
async function limitsOfKey(
  pool: Pool,
  workspace: string,
  settings: Settings,
  key: string,
): Promise<ApprovalLimits> {
  if (!hasLimitedKey(settings)) return NO_LIMITS
  const selves = await inWorkspace(pool, workspace, (db) =>
    selvesOf(db, workspace, { type: 'api_key', id: key }),
  )
  const keys = [...selves].filter((self) => self.startsWith('key_'))
  return strictest(keys.map((self) => approvalLimits(settings, { key: self })))
}

const MOST_MAKERS = 20

/** The asker, and whoever made the key that asks, and so on: they are the asker too. */
export async function selvesOf(
  db: Db,
  workspace: string,
  { type, id }: Pick<Maker, 'type' | 'id'>,
): Promise<ReadonlySet<string>> {
  const selves = new Set([id])
  let key = type === 'api_key' ? id : undefined
  for (let made = 0; key !== undefined && made < MOST_MAKERS; made++) {
    const maker = await makerOfKey(db, workspace, key)
    if (maker !== null) selves.add(maker.id)
    key = maker?.type === 'api_key' ? maker.id : undefined
  }
  return selves
}
