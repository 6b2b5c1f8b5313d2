/** One page, newest first; iterating it goes on through all that follow. */
export type Page<T> = AsyncIterable<T> & {
  object: 'list'
  url: string
  data: T[]
  has_more: boolean
}

type Raw<T> = Omit<Page<T>, typeof Symbol.asyncIterator>
export type ReadPage<T> = (startingAfter: string | undefined) => Promise<Raw<T>>

/** `await` gives the first page, `for await` every object of all pages. */
export type PagePromise<T> = Promise<Page<T>> & AsyncIterable<T>

export function pages<T extends { id: string }>(read: ReadPage<T>): PagePromise<T> {
  const first = read(undefined)
  const all = () => iterate(first, read)
  const page = first.then((raw) => Object.assign(raw, { [Symbol.asyncIterator]: all }) as Page<T>)
  return Object.assign(page, { [Symbol.asyncIterator]: all })
}

async function* iterate<T extends { id: string }>(first: Promise<Raw<T>>, read: ReadPage<T>) {
  for (let page = await first; ; ) {
    yield* page.data
    const last = page.data.at(-1)
    if (!page.has_more || last === undefined) return
    page = await read(last.id)
  }
}
