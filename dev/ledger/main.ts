import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { migrate } from '../../db/migrate.ts'
import { createOwner } from '../../db/owner.ts'
import { startPostgres } from '../postgres.ts'
import { commentsOf } from './comments.ts'
import { type EntryPoint, readEntryPoints } from './entry-points.ts'
import { type ResultTypes, typescriptOf } from './typescript.ts'

const ROOT = new URL('../../', import.meta.url)
const FILE = new URL('db/ledger.gen.ts', ROOT)
const SQL = new URL('db/sql/', ROOT)
const RESULTS = new URL('db/results/', ROOT)

/**
 * `npm run ledger`: writes db/ledger.gen.ts, of a database that is made for it. With `--check` it writes nothing,
 * and fails where the file says something else.
 */
async function main(): Promise<void> {
  const [entryPoints, comments, types] = [await inDatabase(), await inComments(), await inResults()]
  const text = await formatted(typescriptOf(entryPoints, comments, types))
  if (!process.argv.includes('--check')) return writeFile(FILE, text)
  if ((await readFile(FILE, 'utf8').catch(() => '')) !== text) {
    throw new Error('db/ledger.gen.ts is stale: npm run ledger, and commit it')
  }
}

async function inDatabase(): Promise<EntryPoint[]> {
  const folder = await mkdtemp(join(tmpdir(), 'vinr-ledger-'))
  const { adminUrl, port, stop } = await startPostgres({
    dataDir: join(folder, 'data'),
    durable: false,
  })
  try {
    const on = (user: string) => `postgres://${user}:${user}@127.0.0.1:${port}/ledger`
    await createOwner(adminUrl, on('ledger_owner'))
    await migrate({ ownerUrl: on('ledger_owner'), applicationUrl: on('ledger_app') })
    const client = new pg.Client({ connectionString: on('ledger_owner') })
    await client.connect()
    try {
      return await readEntryPoints(client)
    } finally {
      await client.end()
    }
  } finally {
    await stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function inComments() {
  const files = (await readdir(SQL)).filter((file) => file.endsWith('.sql'))
  const texts = await Promise.all(
    files.map(async (file) => commentsOf(file, await readFile(new URL(file, SQL), 'utf8'))),
  )
  return new Map(texts.flatMap((comments) => [...comments]))
}

const EXPORTED = /^export type (?:(\w+)|\{([^}]*)\})/gm

async function inResults(): Promise<ResultTypes> {
  const types = new Map<string, string>()
  for (const file of await readdir(RESULTS)) {
    const text = await readFile(new URL(file, RESULTS), 'utf8')
    for (const [, declared = '', passedOn = ''] of text.matchAll(EXPORTED)) {
      for (const name of `${declared},${passedOn}`.match(/\w+/g) ?? []) {
        const other = types.get(name)
        if (other !== undefined) throw new Error(`${name} is in ${other} and in ${file}`)
        types.set(name, file)
      }
    }
  }
  return types
}

/** As `npm run format` would leave it. */
function formatted(text: string): Promise<string> {
  const biome = fileURLToPath(new URL('node_modules/.bin/biome', ROOT))
  return new Promise((resolve, reject) => {
    const child = execFile(
      biome,
      ['format', '--stdin-file-path=db/ledger.gen.ts'],
      { cwd: ROOT },
      (error, stdout) =>
        error ? reject(new Error('not formatted', { cause: error })) : resolve(stdout),
    )
    child.stdin?.end(text)
  })
}

await main()
