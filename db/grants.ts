import pg from 'pg'
import { ledgerRole, OURS } from './functions.ts'

/** People are of no workspace, and so is what they sign in with: no row security could show it to a request. */
const OF_PEOPLE = [
  'attempts_take',
  'attempts_give_back',
  'failures_count',
  'sign_in_find',
  'session_start',
  'session_find',
  'sessions_seen',
  'sessions_of_user',
  'sessions_end',
  'memberships_of_user',
  'password_hash',
  'password_set',
  'team_member_rename',
  'oidc_sign_in',
  'team_member_ensure',
  'token_create',
  'token_find',
  'token_redeem',
  'team_member_is_only_of',
  'team_member_by_email',
]

/**
 * Functions that run as the owner, past row security, and that a request needs: who is asking and did, who signs,
 * what is removed of an import's file that was not good (of the named workspace alone), what a process says
 * of outbox rows that it has, how many of them wait, and the partitions of the request log's next days. Every other
 * one looks across workspaces and is the worker's.
 */
const OF_REQUESTS = [
  'api_key_find',
  'api_keys_used',
  ...OF_PEOPLE,
  'payment_secrets_find',
  'payment_endpoint_secrets',
  'bulk_upload_forget',
  'outbox_sent',
  'outbox_renew',
  'outbox_release',
  'outbox_refused',
  'outbox_waiting',
  'request_partitions_create',
]

/** What the ledger's functions run with: the application's own rights on rows, and the helpers. */
export async function grantLedger(client: pg.Client): Promise<void> {
  const role = pg.escapeIdentifier(await ledgerRole(client))
  await client.query(`
    revoke execute on all functions in schema public, ledger, ledger_private from public;
    grant usage on schema ledger, ledger_private to ${role};
    grant execute on all functions in schema ledger_private to ${role};
    grant execute on all functions in schema ledger to ${role};
  `)
  await grantRows(client, role)
  await revoke(client, await functionsAcross(client), role)
}

/** The application role: reads and writes rows, never alters; adds to the ledger, never edits it; calls entry points alone. */
export async function grantApplication(client: pg.Client, url: URL): Promise<void> {
  const role = await madeRole(client, url)
  await grantRows(client, role)
  await client.query(`
    grant usage on schema ledger to ${role};
    grant execute on all functions in schema public, ledger to ${role};
  `)
}

async function grantRows(client: pg.Client, role: string): Promise<void> {
  await client.query(`
    grant usage on schema public to ${role};
    grant select, insert, update on all tables in schema public to ${role};
    revoke update on ptx, allocation, event, credit_transaction, event_type_version, reactor_activation, reported_event,
      rule_version, program_version, request from ${role};
    revoke insert, update on team_member from ${role};
    revoke all on credential, oidc_identity, session, one_time_token, known_device, attempt from ${role};
    revoke insert, update on ledger_total, ledger_rollup from ${role};
    revoke all on applied_function_file from ${role};
    grant select on applied_function_file to ${role};
  `)
}

/**
 * The worker's role: all that the application role may do, and the functions across workspaces, which
 * are then no longer the application role's. Nothing where both are one.
 */
export async function grantWorker(client: pg.Client, url: URL, application: URL): Promise<void> {
  const applicationRole = nameOf(application)
  if (nameOf(url) === applicationRole) return
  const role = await madeRole(client, url)
  const { rows } = await client.query<{ member: boolean }>(
    `select pg_has_role($1, $2, 'member') as member`,
    [nameOf(url), applicationRole],
  )
  if (!rows[0]?.member) {
    await client.query(`grant ${pg.escapeIdentifier(applicationRole)} to ${role}`)
  }
  const across = await functionsAcross(client)
  await client.query(`grant execute on function ${across.join(', ')} to ${role}`)
  await revoke(client, across, pg.escapeIdentifier(applicationRole))
}

const nameOf = (url: URL): string => decodeURIComponent(url.username)

async function madeRole(client: pg.Client, url: URL): Promise<string> {
  const role = pg.escapeIdentifier(nameOf(url))
  const password = pg.escapeLiteral(decodeURIComponent(url.password))
  const { rowCount } = await client.query('select from pg_roles where rolname = $1', [nameOf(url)])
  if (!rowCount) await client.query(`create role ${role} login password ${password}`)
  return role
}

const revoke = (client: pg.Client, functions: string[], role: string) =>
  client.query(`revoke execute on function ${functions.join(', ')} from ${role}`)

async function functionsAcross(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ signature: string }>(
    `select p.oid::regprocedure::text as signature from pg_proc p
     where p.pronamespace = 'ledger'::regnamespace and p.prosecdef
       and pg_get_userbyid(p.proowner) <> $1 and p.proname <> all ($2)
       and obj_description(p.oid, 'pg_proc') = $3`,
    [await ledgerRole(client), OF_REQUESTS, OURS],
  )
  return rows.map(({ signature }) => signature)
}
