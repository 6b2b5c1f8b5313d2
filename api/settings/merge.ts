import { Refused } from '../../domain/refusal.ts'
import { refusalSentence } from '../../domain/refusal-sentence.ts'
import { atBothPaths } from '../both-paths.ts'
import { write } from '../contention.ts'
import { endpoint } from '../endpoint.ts'
import { Settings, SettingsChange } from '../objects/settings.ts'

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
    errors: [],
    handle: async ({ workspace, body, deps }) => {
      const merged = await write(() => deps.activities.mergeSettings(workspace, body))
      if ('refusal' in merged) throw new Refused(refusalSentence(merged.refusal))
      return { status: 'ok', object: merged.settings }
    },
  }),
)
