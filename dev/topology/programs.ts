import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cached } from '../cache.ts'
import { temporalBinary } from '../temporal/binary.ts'
import { goBuild } from '../temporal/go-build.ts'

type Progress = (line: string) => void

const NODE_VERSION = '24.21.0' // the major version of the Dockerfile's base image

// As the images name them, and where their modules keep them.
const GO_PROGRAMS = [
  ['temporal-server', 'go.temporal.io/server', 'cmd/server', 'about 3 minutes'],
  ['temporal-sql-tool', 'go.temporal.io/server', 'cmd/tools/sql', 'about 1 minute'],
  ['ui-server', 'github.com/temporalio/ui-server/v2', 'cmd/server', 'some seconds'],
] as const

/**
 * A folder with the programs that the images of Temporal hold, under the names they have there:
 * the server, its schema tool and its UI are built from the Go modules that go.sum pins and cached,
 * the CLI is the embedded stack's.
 */
export async function temporalPrograms(folder: string, onProgress: Progress): Promise<string> {
  mkdirSync(folder, { recursive: true })
  for (const [name, module, path, takes] of GO_PROGRAMS) {
    const program = await cached(
      `${name}-${moduleVersion(module)}`,
      name,
      (dir) =>
        goBuild({
          what: name,
          takes,
          module: import.meta.dirname,
          program: `${module}/${path}`,
          output: join(dir, name),
          onProgress,
        }),
      onProgress,
    )
    symlinkSync(program, join(folder, name))
  }
  symlinkSync(await temporalBinary({ onProgress }), join(folder, 'temporal'))
  return folder
}

/** The version of a module that this folder's go.mod pins, without the v; an image's tag has it too. */
export function moduleVersion(module: string): string {
  const goMod = readFileSync(join(import.meta.dirname, 'go.mod'), 'utf8')
  const version = new RegExp(`^\\s*${module.replaceAll('.', '\\.')} v(\\S+)`, 'm').exec(goMod)?.[1]
  if (version === undefined) throw new Error(`go.mod requires no ${module}`)
  return version
}

/** Where the source of a module is, for the files beside its programs. */
export async function moduleFolder(module: string): Promise<string> {
  const args = ['list', '-mod=readonly', '-m', '-f', '{{.Dir}}', module]
  const { stdout } = await promisify(execFile)('go', args, { cwd: import.meta.dirname })
  return stdout.trim()
}

/** A folder with the `node` of the image: this process's own where the version fits, else npm's package. */
export async function imageNode(onProgress: Progress): Promise<string> {
  const [major] = NODE_VERSION.split('.')
  if (process.versions.node.startsWith(`${major}.`)) return join(process.execPath, '..')
  const name = `node-${process.platform}-${process.arch}`
  const node = await cached(
    `node-${NODE_VERSION}`,
    'bin/node',
    async (dir) => {
      onProgress(`Getting Node ${NODE_VERSION}`)
      const args = ['install', '--no-save', '--ignore-scripts', `--prefix=${dir}`]
      await promisify(execFile)('npm', [...args, `${name}@${NODE_VERSION}`])
      renameSync(join(dir, 'node_modules', name, 'bin'), join(dir, 'bin'))
    },
    onProgress,
  )
  return join(node, '..')
}
