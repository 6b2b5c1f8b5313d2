import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  // The SDK's tests run its source; what it is built to is proved by `npm run check -w @vinr/sdk`.
  resolve: { alias: { '@vinr/sdk': fileURLToPath(new URL('sdk/src/index.ts', import.meta.url)) } },
  test: {
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', 'bench/**', 'test/long/**'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // Tests await events; this only ends one that waits for what never comes.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // What a test polls for comes late on a busy machine.
    expect: { poll: { timeout: 20_000 } },
  },
})
