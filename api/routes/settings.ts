import { readSettings } from '../../db/settings.ts'
import { Settings, SettingsChange } from '../schemas/settings.ts'
import { updated, withAlias } from '../server/declaration.ts'
import { endpoint } from '../server/endpoint.ts'

export const retrieveSettings = withAlias('/settings', (path) =>
  endpoint({
    method: 'GET',
    path,
    summary: 'Retrieve the settings',
    description: 'One flat object of key and value.',
    tags: ['tills'],
    key: 'secret',
    reply: Settings,
    errors: [],
    handle: async ({ workspace, deps }) => ({
      status: 'ok',
      object: await readSettings(deps.pool, workspace),
    }),
  }),
)

export const mergeSettings = withAlias('/settings', (path) =>
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
      const { actor, body, deps, request, workspace } = ctx
      const merged = await deps.commands.mergeSettings(request, actor, body)
      deps.approvalRules.forget(workspace)
      return updated(merged, (settings) => settings)
    },
  }),
)
