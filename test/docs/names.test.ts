import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

const ROOT = new URL('../../', import.meta.url)
const read = (file: string) => readFile(new URL(file, ROOT), 'utf8')

// A name in backquotes with a slash or an extension, and the target of a link.
const NAMED = /`((?:[\w.@-]+\/)*[\w.@-]+(?:\/|\.(?:ts|js|sql|md|json|yml)))`/g
const LINKED = /\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g
// A path in a line of shell.
const TYPED = /(?<=\s)(?:\.ci|api|app|cli|db|domain|sdk|test|workflows)\/[\w./-]+/g
const MADE = new Set(['.data', 'sdk/dist'])

test.each(['CONTRIBUTING.md', 'ARCHITECTURE.md', 'SECURITY.md'])(
  'every file and folder that %s names is there',
  async (page) => {
    const text = await read(page)
    const named = [NAMED, LINKED]
      .flatMap((form) => [...text.matchAll(form)].map(([, name = '']) => name))
      .concat([...text.matchAll(TYPED)].map(([name]) => name.replace(/[.,:;]$/, '')))
    expect(named.length).toBeGreaterThan(3)
    const gone = named.filter((name) => !MADE.has(name) && !existsSync(new URL(name, ROOT)))
    expect(gone).toEqual([])
  },
)

test('no page prints a bare `npx vinr`, which is nobody’s package', async () => {
  const pages = (await readdir(new URL('docs/', ROOT), { recursive: true }))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`)
  expect(pages.length).toBeGreaterThan(20)
  for (const page of [...pages, ...(await readdir(ROOT)).filter((name) => name.endsWith('.md'))]) {
    expect(await read(page), page).not.toMatch(/npx (--yes |-y )?vinr/)
  }
})

test('CONTRIBUTING.md describes every npm script, and none that there is not', async () => {
  const { scripts } = JSON.parse(await read('package.json'))
  const table = (await read('CONTRIBUTING.md')).split('| `npm run …` | what |')[1] ?? ''
  const rows = table.split('\n\n')[0]?.matchAll(/^\| ([^|]+) \|/gm) ?? []
  const described = [...rows].flatMap(([, names = '']) =>
    [...names.matchAll(/`([\w:-]+)`/g)].map(([, name = '']) => name),
  )
  expect(described.toSorted()).toEqual(Object.keys(scripts).sort())
})
