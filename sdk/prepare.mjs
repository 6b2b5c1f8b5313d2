/**
 * What `npm ci` runs, so that `import { Vinr } from '@vinr/sdk'` works in a clone at once. An install without
 * development packages has nothing to build it with, and nobody there to import it.
 */
const TOOLS = ['esbuild', 'typescript']

const missing = TOOLS.filter((name) => {
  try {
    import.meta.resolve(name)
    return false
  } catch {
    return true
  }
})
if (missing.length === 0) await import('./build.mjs')
else console.log(`@vinr/sdk is not built: it needs ${missing.join(' and ')}.`)
