import { PassThrough, Readable } from 'node:stream'
import { ZipFile } from 'yazl'
import { readEventObjects } from '../db/event-objects.ts'
import { MEMBER_STORES, type Member } from '../db/member-stores.ts'
import { memberEvents, memberRows } from '../db/personal-data.ts'
import type { Pool } from '../db/pool.ts'

type Tenant = { readonly workspace: string; readonly livemode: boolean }

/**
 * All that is kept of a member, as a ZIP with a file of JSON for each store and a README that says what each
 * is. It is made while it is read: a query at a time, and no connection between them. An error ends the stream with it.
 */
export function memberArchive(pool: Pool, tenant: Tenant, member: Member, at: Date): Readable {
  const zip = new ZipFile()
  const out = new PassThrough()
  const fail = (error: Error) => out.destroy(error)
  zip.on('error', fail)
  zip.outputStream.pipe(out)
  const files: ArchiveFile[] = [
    ...MEMBER_STORES.map((store) => ({
      name: store.name,
      about: store.about,
      chunks: () => memberRows(pool, member, store),
    })),
    {
      name: 'events',
      about: 'what happened, as it was reported to the shop',
      chunks: () => shownEvents(pool, tenant, member),
    },
  ]
  zip.addBuffer(Buffer.from(readme(member, files, at)), 'README.txt', { mtime: at })
  for (const { name, chunks } of files) {
    zip.addReadStreamLazy(`${name}.json`, { mtime: at }, (opened) => {
      // whoever reads it does not listen for its failure
      opened(undefined, Readable.from(jsonOf(chunks())).on('error', fail))
    })
  }
  zip.end()
  return out
}

type ArchiveFile = {
  readonly name: string
  readonly about: string
  readonly chunks: () => AsyncIterable<readonly unknown[]>
}

async function* shownEvents(pool: Pool, tenant: Tenant, member: Member) {
  for await (const rows of memberEvents(pool, member)) {
    yield await readEventObjects(pool, tenant, rows)
  }
}

async function* jsonOf(chunks: AsyncIterable<readonly unknown[]>): AsyncGenerator<string> {
  let before = '['
  for await (const rows of chunks) {
    if (rows.length === 0) continue
    yield `${before}\n${rows.map((row) => JSON.stringify(row)).join(',\n')}`
    before = ','
  }
  yield before === '[' ? '[]\n' : '\n]\n'
}

function readme({ account, accounts }: Member, files: readonly ArchiveFile[], at: Date): string {
  const merged = accounts.filter((id) => id !== account)
  const also = merged.length === 0 ? '' : `\nwith what was merged into it: ${merged.join(', ')}`
  const widest = Math.max(...files.map(({ name }) => name.length))
  const list = files.map(({ name, about }) => `  ${`${name}.json`.padEnd(widest + 7)}${about}`)
  return `What is kept of the member ${account}${also}
at ${at.toISOString()}.

Each file is a list of JSON objects (UTF-8). Points are in the program's decimals, money is in minor
units of its currency (cents), times are in UTC.

${list.join('\n')}

Left out are secrets and codes, hashes of phones and cards (the phones and cards themselves are not
kept), and whatever is another person's.
`
}
