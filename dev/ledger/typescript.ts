import type { Comment } from './comments.ts'
import type { Column, EntryPoint } from './entry-points.ts'

/** The types that comments may name: the file of db/results that exports each. */
export type ResultTypes = ReadonlyMap<string, string>

// As pg takes and gives them, with the parsers of db/pool.ts. A jsonb's are said in the comment.
const TAKEN: Readonly<Record<string, string>> = {
  text: 'string',
  'text[]': 'readonly string[]',
  integer: 'number',
  bigint: 'number',
  'bigint[]': 'readonly number[]',
  numeric: 'number | bigint',
  boolean: 'boolean',
  date: 'string',
  'timestamp with time zone': 'string | Date',
}
const GIVEN: Readonly<Record<string, string>> = {
  text: 'string',
  integer: 'number',
  bigint: 'number',
  numeric: 'number',
  boolean: 'boolean',
  date: 'string',
  'timestamp with time zone': 'Date',
  void: 'void',
}

/** What of TypeScript itself a comment may use. */
const OWN = new Set(['readonly', 'Record', 'string', 'number', 'boolean', 'null', 'unknown'])

/** db/ledger.gen.ts, of what the database has and the comments in db/sql say; throws what they leave open. */
export function typescriptOf(
  entryPoints: readonly EntryPoint[],
  comments: ReadonlyMap<string, Comment>,
  types: ResultTypes,
): string {
  const imports = new Map<string, Set<string>>()
  const functions = entryPoints.flatMap((entryPoint) => {
    const comment = comments.get(entryPoint.name)
    if (comment === undefined) throw new Error(`ledger.${entryPoint.name} is in no file of db/sql`)
    if (comment.isQuery) return []
    return [new Printed(entryPoint, comment, types, imports).text()]
  })
  const kinds = ['command', 'list', 'read', 'table'].filter((kind) =>
    functions.some((text) => text.includes(` = ${kind}<`)),
  )
  return [
    '// Made from the database and the comments in db/sql by `npm run ledger`. Not to be edited.\n',
    `import { ${kinds.join(', ')} } from './border.ts'`,
    ...[...imports]
      .sort(([one], [other]) => one.localeCompare(other))
      .map(
        ([file, names]) =>
          `import type { ${[...names].sort().join(', ')} } from './results/${file}'`,
      ),
    '',
    ...functions,
  ].join('\n')
}

class Printed {
  readonly #function: EntryPoint
  readonly #comment: Comment
  readonly #types: ResultTypes
  readonly #imports: Map<string, Set<string>>

  constructor(
    entryPoint: EntryPoint,
    comment: Comment,
    types: ResultTypes,
    imports: Map<string, Set<string>>,
  ) {
    this.#function = entryPoint
    this.#comment = comment
    this.#types = types
    this.#imports = imports
  }

  text(): string {
    this.#checkNames()
    const { name, parameters } = this.#function
    const listed = parameters.map(
      ({ name: full, type, hasDefault }) =>
        `'${bare(full)}${hasDefault ? '?' : ''}${type === 'jsonb' ? '::jsonb' : ''}'`,
    )
    return `
/** \`ledger.${name}\`, db/sql/${this.#comment.file} */
export const ${camel(name)} = ${this.#kind()}<${this.#arguments()}, ${this.#result()}>(
  '${name}', [${listed.join(', ')}])`
  }

  #kind(): 'command' | 'read' | 'table' | 'list' {
    const { columns, isSet, writes } = this.#function
    if (columns.length > 0) return 'table'
    if (isSet) return 'list'
    return writes ? 'command' : 'read'
  }

  #arguments(): string {
    const { parameters } = this.#function
    if (parameters.length === 0) return 'Record<string, never>'
    const fields = parameters.map((parameter) => {
      const { name, hasDefault } = parameter
      if (!name.startsWith('p_')) this.#refuse(`the parameter ${name} does not begin with p_`)
      const type = this.#comment.params.get(name)
      const taken = type === undefined ? this.#known(TAKEN, parameter) : this.#declared(type)
      const orNull = this.#comment.nulls.has(name) ? ' | null' : ''
      return `${camel(bare(name))}${hasDefault ? '?' : ''}: ${taken}${orNull}`
    })
    return `{ ${fields.join('; ')} }`
  }

  #result(): string {
    const { columns, result } = this.#function
    const { returns, nulls } = this.#comment
    if (columns.length > 0) return this.#row()
    if (returns !== undefined) {
      if (result !== 'jsonb') this.#refuse(`@returns is for jsonb, and this is ${result}`)
      return this.#declared(returns)
    }
    if (result === 'jsonb') this.#refuse('a jsonb result needs its `-- @returns Type`')
    const given = this.#known(GIVEN, { name: 'result', type: result })
    return `${given}${nulls.has('result') ? ' | null' : ''}`
  }

  #row(): string {
    const fields = this.#function.columns.map((column) => {
      const type = this.#comment.columns.get(column.name)
      const given = type === undefined ? this.#known(GIVEN, column) : this.#declared(type)
      return `${column.name}: ${given}${this.#comment.nulls.has(column.name) ? ' | null' : ''}`
    })
    return `{ ${fields.join('; ')} }`
  }

  #known(types: Readonly<Record<string, string>>, { name, type }: Column): string {
    const known = types[type]
    if (known !== undefined) return known
    const [tag, of] = types === TAKEN ? ['param', 'parameter'] : ['column', 'column']
    return this.#refuse(`the ${of} ${name} is ${type}: say \`-- @${tag} ${name} Type\``)
  }

  /** A type as the comment writes it; what it names is imported. */
  #declared(type: string): string {
    for (const name of type.replaceAll(/'[^']*'/g, '').match(/\w+/g) ?? []) {
      if (OWN.has(name)) continue
      const file = this.#types.get(name)
      if (file === undefined) return this.#refuse(`no file of db/results exports a type ${name}`)
      this.#imports.set(file, (this.#imports.get(file) ?? new Set()).add(name))
    }
    return type
  }

  /** Of what the comment names nothing may be unknown to the database. */
  #checkNames(): void {
    const { parameters, columns } = this.#function
    const has = (list: readonly Column[], name: string) => list.some((one) => one.name === name)
    const { params, columns: typed, nulls } = this.#comment
    const unknown = [
      ...[...params.keys()].filter((name) => !has(parameters, name)),
      ...[...typed.keys()].filter((name) => !has(columns, name)),
      ...[...nulls].filter(
        (name) => name !== 'result' && !has(parameters, name) && !has(columns, name),
      ),
    ]
    if (unknown.length > 0) this.#refuse(`it has no ${unknown.join(', no ')}`)
  }

  #refuse(why: string): never {
    throw new Error(`db/sql/${this.#comment.file}, ledger.${this.#function.name}: ${why}`)
  }
}

const bare = (name: string): string => name.slice('p_'.length)

const camel = (name: string): string =>
  name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
