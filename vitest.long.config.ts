import { defineConfig } from 'vitest/config'
import base from './vitest.config.ts'

/** `npm run test:long`: what takes minutes, such as servers that are killed under load. */
export default defineConfig({
  resolve: base.resolve,
  test: {
    ...base.test,
    include: ['test/long/**/*.test.ts'],
    exclude: ['**/node_modules/**'],
    testTimeout: 600_000,
  },
})
