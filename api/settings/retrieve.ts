import { readSettings } from '../../db/settings.ts'
import { Settings } from '../schemas/settings.ts'
import { endpoint } from '../server/endpoint.ts'
import { atBothPaths } from '../server/path-alias.ts'

export const retrieveSettings = atBothPaths('/settings', (path) =>
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
