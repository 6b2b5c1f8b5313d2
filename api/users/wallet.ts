import { findWallet } from '../../db/wallets.ts'
import { notFound } from '../points-refusal.ts'
import { userPath } from '../schemas/ids.ts'
import { presentWallet, Wallet } from '../schemas/wallets.ts'
import { endpoint } from '../server/endpoint.ts'
import { atBothPaths } from '../server/path-alias.ts'
import { byUserId } from '../server/rate-limits.ts'

export const retrieveWallet = atBothPaths('/users/{id}/wallet', (path) =>
  endpoint({
    method: 'GET',
    path,
    summary: "Retrieve a member's wallet",
    description:
      'Of a merged member, the one of the member it was merged into. `value` follows the setting `pointsCurrencyValue`, else the program.',
    tags: ['tills'],
    key: 'secret',
    params: userPath,
    reply: Wallet,
    errors: ['resource_missing'],
    handle: async ({ workspace, caller, livemode, params, deps }) => {
      const wallet = await deps.attempts.make(byUserId(caller), () =>
        findWallet(deps.pool, workspace, params.id),
      )
      if (wallet === undefined) return notFound('user', params.id)
      return { status: 'ok', object: presentWallet(wallet, livemode) }
    },
  }),
)
