// JavaScript, because Node below 22.18 runs no TypeScript, and a thread takes no loader from its process.
if (!process.features.typescript) {
  const { register } = await import('tsx/esm/api')
  register()
}
await import('./check-thread.ts')
