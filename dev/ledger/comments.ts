/** What the comment before a function says of its types, in lines that begin with `-- @`. */
export type Comment = {
  /** The file in db/sql. */
  file: string
  /** The type of a jsonb result. */
  returns?: string
  /** Types of parameters, by their SQL names. */
  params: Map<string, string>
  /** Types of a table's columns. */
  columns: Map<string, string>
  /** Parameters and columns that may be null, or `result`. */
  nulls: Set<string>
  /** Only ever a part of a query: nothing is generated. */
  isQuery: boolean
}

const FUNCTION = /((?:^--.*\n)*)^create or replace function ledger\.(\w+)\(/gm
const TAG = /^-- @(\w+) ?(.*)$/gm

/** The comments of a file's entry points, by their names. */
export function commentsOf(file: string, text: string): Map<string, Comment> {
  return new Map(
    [...text.matchAll(FUNCTION)].map(([, comment = '', name = '']) => [
      name,
      commentOf(file, name, comment),
    ]),
  )
}

function commentOf(file: string, name: string, text: string): Comment {
  const comment: Comment = {
    file,
    params: new Map(),
    columns: new Map(),
    nulls: new Set(),
    isQuery: false,
  }
  for (const [line, tag, rest = ''] of text.matchAll(TAG)) {
    const [first = '', type = ''] = rest.split(/ (.*)/)
    if (tag === 'returns') comment.returns = rest
    else if (tag === 'param') comment.params.set(first, type)
    else if (tag === 'column') comment.columns.set(first, type)
    else if (tag === 'null') for (const one of rest.split(' ')) comment.nulls.add(one)
    else if (tag === 'query') comment.isQuery = true
    else throw new Error(`${file}, ${name}: nobody knows \`${line}\``)
  }
  return comment
}
