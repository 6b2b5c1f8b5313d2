import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { basename, isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'

/** What the last stage of a Dockerfile leaves: a folder that stands for `/`, and how it is run. */
type Image = {
  root: string
  workdir: string
  env: Record<string, string>
  /** What it puts before the system's PATH. */
  path: string[]
  command: string[]
}

type Instruction = { verb: string; rest: string }

const RUN_WITHIN_MS = 300_000 // an npm ci with nothing cached
const IGNORED = /\.test\.ts$|(^|\/)node_modules(\/|$)/ // as .dockerignore says
const KNOWN = ['FROM', 'WORKDIR', 'COPY', 'RUN', 'ENV', 'USER', 'EXPOSE', 'HEALTHCHECK', 'CMD']

/** The instructions of a Dockerfile; throws at one that is not known here. */
export function readDockerfile(file: string): Instruction[] {
  return readFileSync(file, 'utf8')
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [verb = '', ...rest] = line.trim().split(/\s+/)
      if (!KNOWN.includes(verb)) throw new Error(`${verb} is not known here: ${line}`)
      return { verb, rest: rest.join(' ') }
    })
}

/**
 * Does what a Dockerfile says without a container engine: each stage in a folder of its own below
 * `folder`, its commands run by `sh` with this machine's system and the programs of `path`. Base
 * images are not looked at; USER, EXPOSE and HEALTHCHECK are for an engine.
 */
export async function replayDockerfile(options: {
  file: string
  context: string
  folder: string
  path: string
  onProgress: (line: string) => void
}): Promise<Image> {
  const { file, context, folder, path, onProgress } = options
  const stages = new Map<string, Image>()
  let stage: Image = { root: folder, workdir: '/', env: {}, path: [], command: [] }
  for (const { verb, rest } of readDockerfile(file)) {
    switch (verb) {
      case 'FROM': {
        const name = / AS (\S+)$/.exec(rest)?.[1] ?? 'last'
        stage = { root: join(folder, name), workdir: '/', env: {}, path: [], command: [] }
        stages.set(name, stage)
        break
      }
      case 'WORKDIR':
        stage.workdir = rest
        mkdirSync(join(stage.root, rest), { recursive: true })
        break
      case 'COPY':
        copy(stage, rest, (name) => (name === undefined ? context : rootOf(stages, name)))
        break
      case 'RUN':
        onProgress(`  ${rest.length > 90 ? `${rest.slice(0, 87)}...` : rest}`)
        await run(stage, rest, path)
        break
      case 'ENV': {
        const [name = '', value = ''] = rest.split('=', 2)
        if (name === 'PATH') stage.path.push(...programFolders(stage, value))
        else stage.env[name] = isAbsolute(value) ? join(stage.root, value) : value
        break
      }
      case 'CMD':
        stage.command = jsonWords(rest)
        break
    }
  }
  return stage
}

function rootOf(stages: Map<string, Image>, name: string): string {
  const stage = stages.get(name)
  if (stage === undefined) throw new Error(`There is no stage ${name}`)
  return stage.root
}

/** A folder's contents go into the target; a file goes into it where it is named with a slash. */
function copy(stage: Image, rest: string, fromOf: (stage?: string) => string) {
  const words = rest.split(' ')
  const other = words[0]?.startsWith('--from=') ? words.shift()?.slice(7) : undefined
  const from = fromOf(other)
  const target = words.pop() ?? ''
  const into = join(stage.root, stage.workdir, target)
  for (const source of words.map((word) => join(from, word))) {
    const isFile = statSync(source).isFile()
    const to = isFile && target.endsWith('/') ? join(into, basename(source)) : into
    cpSync(source, to, {
      recursive: true,
      verbatimSymlinks: true, // as an engine copies them
      filter: (path) => other !== undefined || !IGNORED.test(path.slice(from.length)),
    })
  }
}

/** `/app/bin:$PATH`: folders of the image before those that there are. */
function programFolders(stage: Image, value: string): string[] {
  const folders = value.split(':')
  if (folders.pop() !== '$PATH') throw new Error(`PATH=${value} does not end in :$PATH`)
  return folders.map((folder) => join(stage.root, folder))
}

async function run(stage: Image, command: string, path: string) {
  await promisify(execFile)('sh', ['-c', command], {
    cwd: join(stage.root, stage.workdir),
    env: { ...process.env, ...stage.env, PATH: [...stage.path, path, process.env.PATH].join(':') },
    timeout: RUN_WITHIN_MS,
  })
}

function jsonWords(text: string): string[] {
  const words: unknown = JSON.parse(text)
  if (!Array.isArray(words)) throw new Error(`${text} is not a list`)
  return words.map(String)
}
