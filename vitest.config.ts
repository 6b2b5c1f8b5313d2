import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', 'bench/**', 'test/long/**'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // Tests await events; this only ends one that waits for what never comes.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
