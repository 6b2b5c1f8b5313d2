import { readSettings } from '../../db/settings.ts'
import { atBothPaths } from '../both-paths.ts'
import { endpoint } from '../endpoint.ts'
import { Settings } from '../objects/settings.ts'

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
