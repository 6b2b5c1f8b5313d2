import { defineConfig } from 'vitest/config'
import base from './vitest.config.ts'

/** `npm run histories:record`: writes test/histories/*.json anew, from the code as it is. */
export default defineConfig({
  test: { ...base.test, include: ['test/histories/record.ts'], exclude: [] },
})
