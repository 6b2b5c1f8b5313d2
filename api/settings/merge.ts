import { write } from '../contention.ts'
import { Settings, SettingsChange } from '../schemas/settings.ts'
import { endpoint } from '../server/endpoint.ts'
import { identityOf } from '../server/idempotency.ts'
import { atBothPaths } from '../server/path-alias.ts'

export const mergeSettings = atBothPaths('/settings', (path) =>
  endpoint({
    method: 'PUT',
    path,
    summary: 'Merge into the settings',
    description: 'Keys not named stay; null removes one. Answers with all of them.',
    tags: ['tills'],
    key: 'secret',
    body: SettingsChange,
    reply: Settings,
    errors: ['idempotency_key_reused', 'idempotency_key_in_use'],
    handle: async (ctx) => {
      const request = identityOf('PUT /v1/settings', ctx)
      const { value, replayed } = await write(() =>
        ctx.deps.commands.mergeSettings(request, ctx.body),
      )
      return { status: 'ok', replayed, object: value }
    },
  }),
)
