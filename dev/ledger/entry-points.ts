import type pg from 'pg'

export type Column = { name: string; type: string }

/** A function of schema `ledger`, as Postgres knows it. */
export type EntryPoint = {
  name: string
  parameters: (Column & { hasDefault: boolean })[]
  /** The columns of `returns table`; of another result none. */
  columns: Column[]
  /** Its type where it is one value; `record` of a table. */
  result: string
  isSet: boolean
  writes: boolean
}

type Row = Omit<EntryPoint, 'parameters' | 'columns'> & {
  names: string[]
  types: string[]
  modes: string[]
  defaults: number
}

/** The entry points of a migrated database, by name. */
export async function readEntryPoints(client: pg.Client): Promise<EntryPoint[]> {
  const { rows } = await client.query<Row>(`
    select p.proname as name, p.proretset as "isSet", p.provolatile = 'v' as writes,
      format_type(p.prorettype, null) as result, p.pronargdefaults as defaults,
      coalesce(p.proargnames, '{}') as names,
      array(select format_type(type, null)
        from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) with ordinality x (type, at)
        order by at) as types,
      coalesce(p.proargmodes::text[], array_fill('i'::text, array[p.pronargs])) as modes
    from pg_proc p where p.pronamespace = 'ledger'::regnamespace
    order by p.proname`)
  return rows.map(entryPointOf)
}

function entryPointOf({ names, types, modes, defaults, ...row }: Row): EntryPoint {
  const all = names.map((name, index) => ({
    name,
    type: types[index] ?? '',
    mode: modes[index] ?? 'i',
  }))
  const given = all.filter(({ mode }) => mode === 'i')
  const parameters = given.map(({ name, type }, index) => ({
    name,
    type,
    hasDefault: index >= given.length - defaults,
  }))
  const columns = all.filter(({ mode }) => mode === 't').map(({ name, type }) => ({ name, type }))
  return { ...row, parameters, columns }
}
