import type { ClientBase, Pool } from 'pg'
import { isAccountId } from '../domain/ids.ts'
import {
  type LedgerAnswer,
  type Named,
  refusalIn,
  type SqlRefusal,
} from '../domain/ledger-refusal.ts'
import { Refused } from '../domain/refusal.ts'
import { actorNow } from './acting.ts'
import { afterCommit, type CommitOutput } from './after-commit.ts'
import { sharesOf } from './pool.ts'
import { onceMoreWhenReplaced } from './when-replaced.ts'
import { clientOf, type Db } from './workspace-client.ts'

/** Where a ledger function is called, as a transaction of its own: on a pool, a connection, as a run. */
export type Place = Pool | ClientBase | AsRun

/** The same, and in a transaction of `transact`. */
export type Database = Place | Db

/** A workflow's run: what it does to its own row it knows, so that the outbox does not signal it. */
export class AsRun {
  readonly pool: Pool
  readonly workflowId: string

  constructor(pool: Pool, workflowId: string) {
    this.pool = pool
    this.workflowId = workflowId
  }
}

/** A function's "no" as a value: its fields' points in the smallest unit of `decimals`. */
export type RefusedAnswer = { outcome: 'refused'; refusal: SqlRefusal; decimals?: number }

type No = 'refused' | 'missing' | 'invalid'

/** An answer that is no "no". */
type Done<Result> = Result extends { outcome: No } ? never : Result

type Answer<Result> = Result extends { refusal?: SqlRefusal } ? Result : Result | RefusedAnswer

type Command<Arguments, Result> = {
  /** Throws the function's "no", as the API says it (`done`). */
  (db: Database, args: Arguments, named?: Named): Promise<Done<Result>>
  /** The function's answer, of which a "no" is one: for a run, which goes on with it. */
  answer(db: Place, args: Arguments): Promise<Answer<Result>>
}

type Read<Arguments, Result> = (db: Database, args: Arguments) => Promise<Result>

type Values = Readonly<Record<string, unknown>>
type Row<Result> = { result: Result; written?: CommitOutput | null }

/**
 * A function that may write: one named prepared statement, one round trip, one transaction; the function sets
 * the row-security variable itself. What it wrote for others goes to whoever listens on the pool
 * (after-commit.ts); in a transaction, when that ends. On a pool it waits for its share of the connections:
 * that of the workspace, and of the account that the call names.
 */
export function command<Arguments extends Values, Result>(
  name: string,
  parameters: readonly string[],
): Command<Arguments, Result> {
  const call = new Call(name, parameters, 'command')

  async function answer(db: Database, args: Arguments): Promise<Result | RefusedAnswer> {
    try {
      return await call.one<Result>(db, args)
    } catch (error) {
      return answerRaised(error) as Result | RefusedAnswer // as a function writes it
    }
  }

  async function orThrow(db: Database, args: Arguments, named?: Named): Promise<Done<Result>> {
    return done((await answer(db, args)) as Result, named) // a "no" of another form is thrown
  }
  return Object.assign(orThrow, { answer }) as Command<Arguments, Result> // `Done` and `Answer` say what is left
}

/** A function that writes nothing, and answers one value. */
export function read<Arguments extends Values, Result>(
  name: string,
  parameters: readonly string[],
): Read<Arguments, Result> {
  const call = new Call(name, parameters, 'value')
  return (db, args) => call.one<Result>(db, args)
}

/** A function that answers a table. */
export function table<Arguments extends Values, Result>(
  name: string,
  parameters: readonly string[],
): Read<Arguments, Result[]> {
  const call = new Call(name, parameters, 'table')
  return (db, args) => call.rows<Result>(db, args)
}

/** A function that answers any number of values. */
export function list<Arguments extends Values, Result>(
  name: string,
  parameters: readonly string[],
): Read<Arguments, Result[]> {
  const call = new Call(name, parameters, 'value')
  return async (db, args) => {
    const rows = await call.rows<Row<Result>>(db, args)
    return rows.map(({ result }) => result)
  }
}

/**
 * The answer of a ledger function, but its "no" is thrown as the API says it. `named`: what the call named, by
 * parameter, what it was of first: ids that are missing are answered without them.
 */
export function done<Result>(answer: Result, named: Named = {}): Done<Result> {
  const refusal = isAnswer(answer) ? refusalIn(answer, named) : undefined
  if (refusal !== undefined) throw new Refused(refusal)
  return answer as Done<Result> // what is left of it
}

const isAnswer = (value: unknown): value is LedgerAnswer =>
  typeof value === 'object' && value !== null && 'outcome' in value

/**
 * What a function raised to undo its transaction: its "no" (VR001, by `refuse`), or the whole answer of one that
 * only tried (VR002). Anything else is thrown on.
 */
function answerRaised(error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error)) throw error
  if (error.code === 'VR002') return JSON.parse(error.message)
  if (error.code !== 'VR001') throw error
  const { decimals, ...refusal } = JSON.parse(error.message) as SqlRefusal & { decimals?: number }
  return { outcome: 'refused', refusal, ...(decimals !== undefined && { decimals }) }
}

type Parameter = { name: string; key: string; isJson: boolean; isOptional: boolean }

/** `codes::jsonb`, `skip?`: the parameter p_codes of jsonb, and one that has a default. */
function parameterOf(written: string): Parameter {
  const [, name = '', optional, json] = /^(\w+)(\?)?(::jsonb)?$/.exec(written) ?? []
  const key = name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
  return { name, key, isJson: json !== undefined, isOptional: optional !== undefined }
}

/** A setting of one transaction: `vinr.run`, `vinr.actor`. */
type Setting = { name: 'run' | 'actor'; value: string }

/** How it is sent: by itself, with what its transaction is told, or in a transaction that somebody else ends. */
type Manner = readonly Setting[] | 'in a transaction'

class Call {
  readonly #name: string
  readonly #parameters: readonly Parameter[]
  readonly #kind: 'command' | 'value' | 'table'
  readonly #texts = new Map<string, string>()

  constructor(name: string, parameters: readonly string[], kind: 'command' | 'value' | 'table') {
    this.#name = name
    this.#parameters = parameters.map(parameterOf)
    this.#kind = kind
  }

  async one<Result>(db: Database, args: Values): Promise<Result> {
    const [row] = await this.rows<Row<Result>>(db, args)
    if (row === undefined) throw new Error(`${this.#name} returned no row`)
    afterCommit(db instanceof AsRun ? db.pool : db, args.workspace, row.written ?? null)
    return row.result
  }

  rows<Result>(db: Database, args: Values): Promise<Result[]> {
    const given = this.#parameters.filter(
      ({ key, isOptional }) => !isOptional || args[key] !== undefined,
    )
    const values = given.map(({ key, isJson }) => parameterValue(args[key], isJson))
    if (!(db instanceof AsRun) && isTransaction(db)) {
      return send(clientOf(db), this.#statement(given, values, 'in a transaction'))
    }
    const told = this.#told(db instanceof AsRun ? db.workflowId : undefined)
    const statement = this.#statement(given, values, told)
    return this.#inItsShare(db instanceof AsRun ? db.pool : db, args, statement)
  }

  /** What a transaction of its own is told: whose run it is of, and who acts. */
  #told(run: string | undefined): Setting[] {
    const actor = this.#kind === 'command' ? actorNow() : undefined
    const told: Setting[] = []
    if (run !== undefined) told.push({ name: 'run', value: run })
    if (actor !== undefined) told.push({ name: 'actor', value: actor })
    return told
  }

  #inItsShare<Result>(
    place: Pool | ClientBase,
    { workspace }: Values,
    statement: Statement,
  ): Promise<Result[]> {
    const shares = sharesOf(place)
    if (shares === undefined || typeof workspace !== 'string') return send(place, statement)
    return shares.use(workspace, statement.values.find(isAccountId), () =>
      onceMoreWhenReplaced(() => send<Result>(place, statement)),
    )
  }

  /** Its name says what its text depends on. */
  #statement(given: readonly Parameter[], values: unknown[], manner: Manner): Statement {
    const told = manner === 'in a transaction' ? [] : manner
    const left = this.#parameters.filter((parameter) => !given.includes(parameter))
    const name = [
      this.#name,
      ...(manner === 'in a transaction' ? [manner] : told.map((setting) => `told ${setting.name}`)),
      ...left.map((parameter) => `without ${parameter.name}`),
    ].join(' ')
    const text = this.#texts.get(name) ?? this.#text(given, manner)
    this.#texts.set(name, text)
    return { name, text, values: [...values, ...told.map(({ value }) => value)] }
  }

  #text(given: readonly Parameter[], manner: Manner): string {
    const args = given.map(
      ({ name, isJson }, index) => `p_${name} => $${index + 1}${isJson ? '::jsonb' : ''}`,
    )
    const called = `ledger.${this.#name}(${args.join(', ')})`
    if (this.#kind === 'table') return `select * from ${called}`
    const writes = this.#kind === 'command' && manner !== 'in a transaction'
    const written = writes ? ', ledger.outbox_written() as written' : ''
    const told = manner === 'in a transaction' ? [] : manner
    const settings = told.map(
      ({ name }, index) =>
        `set_config('vinr.${name}', $${given.length + index + 1}, true) as told_${name}`,
    )
    const from = settings.length === 0 ? '' : ` from ${settings.join(', ')}`
    return `select ${called} as result${written}${from}`
  }
}

type Statement = { name: string; text: string; values: unknown[] }

// pg would make an array of Postgres of one of JavaScript.
function parameterValue(value: unknown, isJson: boolean): unknown {
  return isJson && value !== null && value !== undefined ? JSON.stringify(value) : value
}

const isTransaction = (db: Pool | ClientBase | Db): db is Db => 'execute' in db

async function send<Result>(place: Pool | ClientBase, statement: Statement): Promise<Result[]> {
  const { rows } = await place.query(statement)
  return rows as Result[] // as ledger.gen.ts says, which is read from the database
}
