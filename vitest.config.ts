import { fileURLToPath } from 'node:url'
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'

// A test's place says its project. Beside the code: `unit`. In a folder of test/ that is named as a
// project: that project. In any other folder of test/: `product`.

const setup = (name: string) => `test/support/setup/${name}.ts`
const POSTGRES = setup('postgres')
const TEMPORAL_BINARY = setup('temporal-binary')
const TEMPORAL = setup('temporal')
const WORKFLOWS = setup('workflows')
const ALL = [POSTGRES, TEMPORAL_BINARY, TEMPORAL, WORKFLOWS]

// Projects of one group share its two workers; groups come one after the other.
const FIRST = { groupOrder: 0 }
const TOGETHER = { groupOrder: 1 }
const ALONE = { groupOrder: 2 }

const project = (
  name: string,
  test: TestProjectInlineConfiguration['test'],
): TestProjectInlineConfiguration => ({
  extends: true,
  test: { name, include: [`test/${name}/**/*.test.ts`], ...test },
})

/** What `npm test` runs. */
const PROJECTS = [
  // Needs no server, and nothing in it takes a tenth of a second.
  project('unit', {
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', 'test/**', 'bench/**'],
    isolate: false,
    pool: 'threads', // they start faster than processes
    sequence: FIRST,
  }),
  // Needs Postgres alone.
  project('ledger', { globalSetup: [POSTGRES], sequence: TOGETHER }),
  // Needs everything.
  project('product', {
    include: ['test/**/*.test.ts'],
    exclude: ['test/{ledger,histories,crash,long}/**'],
    globalSetup: ALL,
    sequence: TOGETHER,
  }),
  // Replays what workflows did before on the workflows as they are.
  project('histories', { globalSetup: [WORKFLOWS], sequence: TOGETHER }),
  // Kills and presses the product's own processes, which must not wait for other tests.
  project('crash', { globalSetup: [TEMPORAL_BINARY], sequence: ALONE }),
]

/** `npm run test:long`: what takes minutes, such as servers that are killed under load. */
const LONG = [project('long', { globalSetup: ALL, testTimeout: 600_000 })]

/** `npm run histories:record`: writes test/histories/*.json anew, from the code as it is. */
const RECORD = [project('histories', { include: ['test/histories/record.ts'], globalSetup: ALL })]

const projectsOf: Record<string, TestProjectInlineConfiguration[]> = {
  test: PROJECTS,
  long: LONG,
  record: RECORD,
}

export default defineConfig(({ mode }) => ({
  // The SDK's tests run its source; what it is built to is proved by `npm run check -w @vinr/sdk`.
  resolve: { alias: { '@vinr/sdk': fileURLToPath(new URL('sdk/src/index.ts', import.meta.url)) } },
  test: {
    projects: projectsOf[mode],
    pool: 'forks',
    maxWorkers: 2,
    // Tests await events; this only ends one that waits for what never comes.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // What a test polls for comes late on a busy machine.
    expect: { poll: { timeout: 20_000 } },
  },
}))
