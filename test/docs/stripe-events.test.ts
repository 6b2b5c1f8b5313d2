import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

const PROVIDERS = new URL('../../api/webhooks/providers/', import.meta.url)
const NAME = /^(?:payment_intent|charge|refund|checkout|invoice|customer)(?:\.\w+)+(?:\.\*)?$/

/** The names of events that the code reads; one that takes all of a kind ends in a dot there. */
async function namedInCode(): Promise<string[]> {
  const files = (await readdir(PROVIDERS, { recursive: true })).filter((file) =>
    /^stripe(?:\.ts$|[\\/])/.test(file),
  )
  const sources = await Promise.all(
    files
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFile(new URL(file, PROVIDERS), 'utf8')),
  )
  const quoted = sources.flatMap((source) =>
    [...source.matchAll(/'([a-z_.]+)'/g)].map(([, name = '']) => name.replace(/\.$/, '.*')),
  )
  const names = new Set(quoted.filter((name) => NAME.test(name)))
  const isOneOfAKind = (name: string) => names.has(name.replace(/\w+$/, '*'))
  return [...names].filter((name) => name.endsWith('*') || !isOneOfAKind(name)).toSorted()
}

/** The names of events in the first column of the page's table. */
async function namedInDocs(): Promise<string[]> {
  const page = await readFile(new URL('../../docs/earning.md', import.meta.url), 'utf8')
  const table = page.split('| event | what follows |')[1]?.split('\n\n')[0] ?? ''
  return table
    .split('\n')
    .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)])
    .map(([, name = '']) => name)
    .filter((name) => NAME.test(name))
    .toSorted()
}

test('every Stripe event that is read stands in docs/earning.md, once, and no other does', async () => {
  const inCode = await namedInCode()
  expect(inCode.length).toBeGreaterThan(10)
  expect(await namedInDocs()).toEqual(inCode)
})
