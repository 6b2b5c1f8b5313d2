/**
 * Imports go one way. A row says what a folder may import besides itself; code in a folder without a
 * row is refused.
 *
 * @typedef {object} Direction
 * @property {string[] | 'anything'} from folders (with a slash) and files
 * @property {string[]} [types] what it may import by `import type` alone
 * @property {Record<string, RegExp>} [names] of these folders, only the exports so named
 * @property {RegExp} [packages] the only packages it may import
 * @property {RegExp} [closed] packages it may not import
 */

// The reads of db/ by their names, what types a row that an activity gave back, the pool's opening.
const READS =
  /^(find|list|read|is)[A-Z]|^(paymentsOfRedemptions|databaseNow|createPool)$|^[a-z]+Row$|^[A-Z][A-Z_]+$/

/** @type {Record<string, Direction>} */
export const DIRECTIONS = {
  'config.ts': { from: ['temporal/settings.ts'] },
  // Of packages only what is pure: no file, no clock, no network.
  domain: { from: [], packages: /^(node:crypto|re2js)$/ },
  db: { from: ['domain/'], closed: /^(@temporalio|express)(\/|$)/ },
  workflows: {
    from: ['domain/', 'temporal/names.ts'],
    types: ['activities/'],
    // All that is imported here lands in the bundle, and in the sandbox of every run.
    packages: /^@temporalio\/(workflow|common)$/,
  },
  temporal: {
    from: ['db/outbox.ts', 'domain/'],
    types: ['db/pool.ts'],
    closed: /^(pg|drizzle-orm|express)(\/|$)/,
  },
  app: { from: ['temporal/', 'db/', 'domain/'], closed: /^express(\/|$)/ },
  activities: {
    from: ['app/', 'domain/'],
    types: ['db/'],
    closed: /^(pg|drizzle-orm|express)(\/|$)/,
  },
  // What every long-lived process has: its log, its figures, a listening socket.
  process: {
    from: ['db/outbox.ts', 'domain/'],
    types: ['db/pool.ts'],
    closed: /^(@temporalio|pg|drizzle-orm)(\/|$)/,
  },
  api: {
    from: ['app/', 'temporal/', 'db/', 'domain/', 'process/', 'config.ts', 'package.json'],
    // No SQL, and no way to open a transaction.
    types: ['db/schema/', 'db/workspace-client.ts'],
    names: { 'db/': READS },
    closed: /^(pg|drizzle-orm)(\/|$)/,
  },
  worker: {
    from: ['activities/', 'app/', 'process/', 'temporal/', 'db/pool.ts', 'config.ts'],
  },
  // The `vinr` command. Of the API only what describes it, and what a provider's mapping must look like.
  cli: {
    from: [
      'app/',
      'db/',
      'domain/',
      'temporal/',
      'api/server/endpoints.ts',
      'api/server/examples.ts',
      'api/server/openapi.ts',
      'api/server/version.ts',
      'api/webhooks/providers/generic-mapping.ts',
    ],
    packages: /^(node:|commander$|tsx\/|zod$)/,
  },
  // Bundled for browsers, edges and servers alike: nothing of the server, and nothing of Node.
  sdk: { from: [], packages: /^(@noble\/hashes(\/|$)|esbuild$|node:)/ },
  // Around the server, which knows nothing of them.
  '.ci': { from: 'anything' },
  bench: { from: 'anything' },
  deploy: { from: 'anything' },
  dev: { from: 'anything' },
  test: { from: 'anything' },
}
