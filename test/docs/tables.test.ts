import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { WORKFLOW } from '../../temporal/names.ts'
import * as workflows from '../../workflows/index.ts'
import { TABLES } from './tables.ts'

const SECTION = /(<!-- ([\w ]+): npm run docs -->\n)(?:\|.*\n)*(?=<!-- end -->)/g

test.each([
  ['operating.md', ['workflow types', 'reconciler kinds']],
  ['temporal-server.md', ['schedules']],
])('docs/%s has the tables of the code as it is (else: npm run docs)', async (page, names) => {
  const file = new URL(`../../docs/${page}`, import.meta.url)
  const text = await readFile(file, 'utf8')
  expect([...text.matchAll(SECTION)].map(([, , name]) => name)).toEqual(names)
  const written = text.replaceAll(SECTION, (_, start, name) => `${start}${TABLES[name]}\n`)
  await expect(written).toMatchFileSnapshot(file.pathname)
})

test('every type of workflow that the worker knows is in the table', () => {
  expect(Object.values<string>(WORKFLOW).sort()).toEqual(Object.keys(workflows).sort())
})
