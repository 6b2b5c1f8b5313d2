import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { startChild } from '../../dev/children.ts'
import { freePort } from '../../dev/ports.ts'
import { startPostgres } from '../../dev/postgres.ts'
import { databaseUrls } from '../../dev/stack/database.ts'
import { dump } from './dump.ts'
import { FIXTURE, type Made, TEMPORAL_FILES } from './fixture.ts'
import { checkOut } from './release.ts'
import { untilReady } from './stack.ts'
import { bringUnderWay } from './under-way.ts'

// `npx tsx test/upgrade/record.ts <commit>`: writes test/upgrade/data-directory/ anew, from what `npm start`
// of that commit left of a shop that has everything under way.

const READY_WITHIN_MS = 180_000
const STOP_WITHIN_MS = 60_000

async function record(revision: string): Promise<void> {
  const release = await checkOut(revision)
  const dataDir = await mkdtemp(join(tmpdir(), 'vinr-record-'))
  const failing = await openFailing()
  const stack = await startChild({
    name: 'stack',
    command: process.execPath,
    args: ['--import', 'tsx', 'dev/stack.ts'],
    cwd: release.folder,
    env: {
      ...process.env,
      DATA_DIR: dataDir,
      PORT: String(await freePort()),
      HOLD_MINUTES: '0.5',
      WEBHOOK_ALLOWED_ADDRESSES: '127.0.0.1',
      LOG_LEVEL: 'warn',
    },
    logFile: join(dataDir, 'stack.log'),
    stopSignal: 'SIGINT',
    graceMs: STOP_WITHIN_MS,
  })
  try {
    const running = await untilReady(dataDir, stack, READY_WITHIN_MS)
    const made = await bringUnderWay(running, failing.url)
    const { code } = await stack.stop()
    if (code !== 0) throw new Error(`npm start ended with ${code}`)
    await keep(dataDir, release.folder, {
      ...made,
      commit: release.commit,
      recordedAt: new Date().toISOString(),
    })
  } finally {
    await stack.stop()
    failing.close()
    await release.remove()
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** A merchant's server that takes nothing. */
async function openFailing() {
  const server = createServer((_, response) => response.writeHead(500).end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { url: `http://127.0.0.1:${address.port}`, close: () => server.close() }
}

async function keep(dataDir: string, release: string, made: Made): Promise<void> {
  await rm(FIXTURE, { recursive: true, force: true })
  await mkdir(FIXTURE, { recursive: true })
  const postgres = await startPostgres({ dataDir: join(dataDir, 'postgres') })
  const url = new URL(postgres.adminUrl)
  url.pathname = new URL(databaseUrls(postgres.adminUrl).owner).pathname
  const database = await dump(url.href, release)
  await postgres.stop()
  await write('database.json.br', Buffer.from(JSON.stringify(database)))
  // Temporal leaves its last writes beside the file, for the next start to put in.
  for (const file of TEMPORAL_FILES) {
    await write(`${file}.br`, await readFile(join(dataDir, 'temporal', file)))
  }
  for (const file of ['demo-keys.json', 'gift-code-key.json']) {
    await copyFile(join(dataDir, file), join(FIXTURE, file))
  }
  await writeFile(join(FIXTURE, 'made.json'), `${JSON.stringify(made, null, 2)}\n`)
}

async function write(name: string, content: Buffer) {
  const compressed = brotliCompressSync(content)
  await writeFile(join(FIXTURE, name), compressed)
  console.log(`${name}: ${content.length} bytes, ${compressed.length} compressed`)
}

const [revision] = process.argv.slice(2)
if (revision === undefined) throw new Error('usage: npx tsx test/upgrade/record.ts <commit>')
await record(revision)
