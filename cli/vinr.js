#!/usr/bin/env node
// Newer Nodes run TypeScript as it is; for the others tsx brings the loader, as in the npm scripts.
if (!process.features.typescript) {
  const { register } = await import('tsx/esm/api')
  register()
}
const { vinr } = await import('./program.ts')
await vinr().parseAsync()
