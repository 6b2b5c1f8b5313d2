import { spawnSync } from 'node:child_process'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'

/**
 * `npm run build -w @vinr/sdk`: dist/ (or the folder that `--out` names) with ESM and CJS, each with its
 * types; nothing to install beside it.
 */
const here = fileURLToPath(new URL('.', import.meta.url))
const { out = `${here}dist` } = parseArgs({ options: { out: { type: 'string' } } }).values
const dist = pathToFileURL(`${out}/`)
await rm(dist, { recursive: true, force: true })

for (const [format, extension] of [
  ['esm', 'js'],
  ['cjs', 'cjs'],
]) {
  await build({
    entryPoints: [`${here}src/index.ts`],
    outfile: `${out}/index.${extension}`,
    bundle: true,
    format,
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'es2022',
  })
}

const compiled = spawnSync('tsc', ['-p', 'tsconfig.json', '--outDir', out], {
  cwd: here,
  stdio: 'inherit',
})
if (compiled.status !== 0) process.exit(1)
// A declaration names its neighbours as the module system that reads it does.
for (const file of (await readdir(dist)).filter((name) => name.endsWith('.d.ts'))) {
  const text = await readFile(new URL(file, dist), 'utf8')
  const named = (extension) => text.replaceAll(/(['"]\.\/[\w-]+)\.ts(['"])/g, `$1.${extension}$2`)
  await writeFile(new URL(file, dist), named('js'))
  await writeFile(new URL(file.replace(/\.d\.ts$/, '.d.cts'), dist), named('cjs'))
}
