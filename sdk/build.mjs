import { spawnSync } from 'node:child_process'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** `npm run build -w @vinr/sdk`: dist/ with ESM and CJS, each with its types; nothing to install beside it. */
const here = fileURLToPath(new URL('.', import.meta.url))
const dist = new URL('dist/', import.meta.url)
await rm(dist, { recursive: true, force: true })

for (const [format, extension] of [
  ['esm', 'js'],
  ['cjs', 'cjs'],
]) {
  await build({
    entryPoints: [`${here}src/index.ts`],
    outfile: `${here}dist/index.${extension}`,
    bundle: true,
    format,
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'es2022',
  })
}

const compiled = spawnSync('tsc', ['-p', 'tsconfig.json'], { cwd: here, stdio: 'inherit' })
if (compiled.status !== 0) process.exit(1)
// A declaration names its neighbours as the module system that reads it does.
for (const file of (await readdir(dist)).filter((name) => name.endsWith('.d.ts'))) {
  const text = await readFile(new URL(file, dist), 'utf8')
  const named = (extension) => text.replaceAll(/(['"]\.\/[\w-]+)\.ts(['"])/g, `$1.${extension}$2`)
  await writeFile(new URL(file, dist), named('js'))
  await writeFile(new URL(file.replace(/\.d\.ts$/, '.d.cts'), dist), named('cjs'))
}
