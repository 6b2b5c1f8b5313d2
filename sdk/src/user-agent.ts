/** As package.json has it; a test holds the two together. */
const VERSION = '0.1.0'

type Runtime = {
  document?: object
  process?: {
    platform?: string
    arch?: string
    versions?: Record<string, string | undefined>
  }
}

/**
 * What the client calls itself, for the server's log: `vinr-node/0.1.0 (node 22.1.0; linux x64)`. Undefined in
 * browsers, which say what they are, and wherever there is no telling: there a header of ours would need a preflight.
 */
export function userAgent({ document, process }: Runtime = globalThis) {
  const { versions, platform = '', arch = '' } = process ?? {}
  const { node, bun, deno } = versions ?? {}
  if (document !== undefined || node === undefined) return undefined
  const runtime = bun ? `bun ${bun}` : deno ? `deno ${deno}` : `node ${node}`
  return `vinr-node/${VERSION} (${runtime}; ${platform} ${arch})`
}
