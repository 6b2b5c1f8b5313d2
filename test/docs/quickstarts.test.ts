import { execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { seedRule } from '../../dev/demo.ts'
import { freePort } from '../../dev/ports.ts'
import { buildSdk } from '../sdk/built.ts'
import { type ShopServer, serve } from '../sdk/served.ts'

/**
 * The quickstarts, run as they stand in docs/: the shell blocks of a page one after the other, and after each
 * what it printed held against the block that follows it, by what is the same in every run.
 */

const exec = promisify(execFile)
const LONGEST_MS = 50_000
const DOCS = new URL('../../docs/', import.meta.url)

let shop: ShopServer
let folder: string

beforeAll(async () => {
  shop = await serve()
  await seedRule(shop.pool, shop.workspace) // as npm start does
  folder = await mkdtemp(join(tmpdir(), 'vinr-quickstart-'))
  await mkdir(join(folder, '.data'))
  const stack = { apiUrl: shop.baseUrl, apiKey: shop.keys.secretKey }
  await writeFile(join(folder, '.data/stack.json'), JSON.stringify(stack))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
  const broken = await shop.reconcile()
  await shop.close()
  expect(broken).toEqual([])
})

type Block = { language: string; text: string }

async function blocksOf(page: string): Promise<Block[]> {
  const text = await readFile(new URL(page, DOCS), 'utf8')
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', block = '']) => ({
    language,
    text: block,
  }))
}

const SEPARATOR = '\u001e'

/** What each shell block printed, beside the block after it. */
async function run(blocks: Block[]): Promise<{ printed: string; shown: Block | undefined }[]> {
  const shell = blocks.flatMap((block, at) => (block.language === 'sh' ? [{ block, at }] : []))
  const script = shell.map(({ block }) => `${block.text}\nprintf '\\x1e'\n`)
  const args = ['-euo', 'pipefail', '-c', script.join('')]
  const { stdout } = await exec('bash', args, { cwd: folder, timeout: LONGEST_MS })
  const printed = stdout.split(SEPARATOR)
  return shell.map(({ at }, n) => {
    const next = blocks[at + 1]
    const shown = next?.language === 'sh' ? undefined : next
    return { printed: printed[n] ?? '', shown }
  })
}

/** The fields whose values are the same in every run, in the order in which they stand there. */
const sameOf = (text: string) =>
  [...text.matchAll(/"(object|status|code|type|reason|posted|line|affordable)":\s?("[^"]*"|\w+)/g)]
    .map(([, name, value]) => `${name} ${value}`)
    .filter((field) => !field.startsWith('code "VINR-'))

test.each(['quickstart-till.md', 'quickstart-finance.md'])(
  '%s prints what it shows',
  async (page) => {
    const ran = await run(await blocksOf(page))
    const shown = ran.filter((one) => one.shown !== undefined)
    expect(shown.length).toBeGreaterThan(4)
    for (const { printed, shown: block } of shown) {
      if (block?.language === 'csv') {
        expect(printed.split('\r\n')[0]).toBe(block.text.split('\n')[0])
      } else {
        expect(sameOf(printed)).toEqual(sameOf(block?.text ?? ''))
      }
    }
  },
)

test('quickstart-integrator.md: the shop prints what it shows, and run twice spends nothing twice', async () => {
  const blocks = await blocksOf('quickstart-integrator.md')
  const file = join(folder, 'shop.ts')
  await writeFile(file, blocks.find(({ language }) => language === 'ts')?.text ?? '')
  await writeFile(join(folder, 'package.json'), '{"type": "module"}')
  await buildSdk(join(folder, 'node_modules/@vinr/sdk'))

  const shown = wordsOf(blocks.at(-1)?.text.split('\n').slice(1, -2) ?? [])
  expect(shown).toHaveLength(9)
  const first = await runShop(file, (lines) => lines.length === shown.length)
  expect(wordsOf(first)).toEqual(shown)
  const again = await runShop(file, (lines) => lines.some((line) => line.startsWith('refused')))
  const lineOf = (lines: string[], word: string) => lines.find((line) => line.startsWith(word))
  for (const word of ['held', 'charged']) expect(lineOf(again, word)).toBe(lineOf(first, word))
})

/** Runs it until it has printed enough, ends it as Ctrl-C does, and returns its lines. */
async function runShop(file: string, enough: (lines: string[]) => boolean): Promise<string[]> {
  const env = {
    ...process.env,
    PORT: String(await freePort()),
    VINR_BASE_URL: shop.baseUrl,
    VINR_SECRET_KEY: shop.keys.secretKey,
  }
  const tsx = import.meta.resolve('tsx')
  const child = spawn(process.execPath, ['--import', tsx, file], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line)
    if (enough(lines) && !child.killed) child.kill('SIGINT')
  }
  expect(await ended).toBe(0)
  return lines
}

/** The first word of each line: webhooks come in no promised order. */
const wordsOf = (lines: string[]) => lines.map((line) => line.split(/\s/)[0] ?? '').sort()
