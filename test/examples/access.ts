import type { Book } from './book.ts'

const KEYS = '/v1/api_keys'

/** Who may come in: keys of programs. */
export async function access({ ask }: Book): Promise<void> {
  const till = await ask(`POST ${KEYS}`, 'For a till', {
    body: { name: 'Till 3', scopes: ['tills:read', 'tills:write'] },
  })
  await ask(`POST ${KEYS}`, 'For a shop’s pages', {
    body: { type: 'publishable', name: 'Shop pages' },
  })
  const path = { id: till.id }
  await ask('GET /v1/loyalty/programs', 'A scope is missing', {
    headers: { 'X-Api-Key': till.secret },
    refused: 403,
  })
  await ask(`GET ${KEYS}`, 'Keys of programs', { query: { type: 'secret', limit: 1 } })
  await ask(`GET ${KEYS}/{id}`, 'A key', { path })
  await ask(`PATCH ${KEYS}/{id}`, 'Another name, more scopes', {
    path,
    body: { name: 'Till 3, upstairs', scopes: ['tills:read', 'tills:write', 'rewards:read'] },
  })
  await ask(`POST ${KEYS}/{id}/roll`, 'Both are taken for two days', {
    path,
    body: { overlap_hours: 48 },
  })
  await ask(`POST ${KEYS}/{id}/revoke`, 'Ended', { path })
}
