import type { Pool } from '../../db/pool.ts'

/** One call that writes an outbox row, by itself or through a function that is there for it. */
export type Write = { name: string; title: string; definition: string; without: string }

const CALL = /\b(?:perform|select)\s+((?:\w+_outbox|outbox_write)\s*)\(/g

/** Every place in the ledger's functions where an outbox row is written, and each function without it. */
export async function outboxWrites(owner: Pool): Promise<Write[]> {
  const { rows } = await owner.query<{ name: string; definition: string }>(
    `select proname as name, pg_get_functiondef(oid) as definition from pg_proc
     where pronamespace in ('ledger'::regnamespace, 'ledger_private'::regnamespace)
       and proname <> 'outbox_write'
       and prosrc ~ '(_outbox|outbox_write)\\s*\\(' order by 1`,
  )
  return rows.flatMap(({ name, definition }) =>
    [...definition.matchAll(CALL)].map(({ index, 0: head, 1: callee = '' }, n) => ({
      name,
      title: `${name}, call ${n + 1} of ${callee.trim()}`,
      definition,
      without: withoutCall(definition, index + head.length - callee.length - 1),
    })),
  )
}

/** The call, with all that its brackets hold, is nothing. */
function withoutCall(definition: string, from: number): string {
  let depth = 0
  for (let at = definition.indexOf('(', from); at < definition.length; at++) {
    if (definition[at] === '(') depth++
    if (definition[at] === ')') depth--
    if (depth === 0) return `${definition.slice(0, from)}null::void${definition.slice(at + 1)}`
  }
  throw new Error('a bracket that is not closed')
}
