import { type Command, InvalidArgumentError } from 'commander'
import type { workspaceCommands } from '../app/workspaces.ts'
import { commandDatabase } from '../db/command-database.ts'
import { newId } from '../domain/ids.ts'
import { ALL_SCOPES, type HeldScope, SCOPES } from '../domain/scopes.ts'
import { ending, moreHelp } from './command.ts'
import { withPool } from './connections.ts'

const ENVIRONMENT = { DATABASE_URL: 'the application role' }

export function addWorkspace(program: Command): void {
  const workspace = program
    .command('workspace')
    .description('tenants and their keys')
    .addHelpText(
      'after',
      moreHelp(
        ['vinr workspace create "My shop" --live', 'vinr workspace revoke ws_… key_…'],
        ENVIRONMENT,
      ),
    )
  workspace
    .command('create')
    .description(
      'make a workspace; its keys and the signing secret of its sandbox are printed once',
    )
    .argument('<name>')
    .option('--live', 'in live mode, with live keys; else in test mode', false)
    .action(ending(1, (name: string, { live }: { live: boolean }) => createWorkspace(name, live)))
  addKey(workspace.command('key'))
  workspace
    .command('revoke')
    .description('end a key, which may work for five seconds more')
    .argument('<workspace>', 'ws_…')
    .argument('<key>', 'the id of the key, key_…')
    .action(ending(1, revokeKey))
}

type KeyOptions = { publishable: boolean; expires?: Date; name?: string; scopes?: HeldScope[] }

/** `vinr key` and `vinr workspace key` are one. */
export function addKey(command: Command): void {
  command
    .summary('make one more API key of a workspace')
    .description('make one more API key of a workspace, in its mode; it is printed once')
    .argument('[workspace]', 'ws_…; else the demo shop of npm start')
    .option('--publishable', 'a publishable key; else a secret one', false)
    .option('--expires <date>', 'ISO 8601; else the key has no end', dateOf)
    .option('--name <name>', 'what people call it')
    .option('--scopes <scopes>', 'as redemptions:read,rewards:read; else everything', scopesOf)
    .addHelpText(
      'after',
      moreHelp(
        [
          'vinr key',
          'vinr key ws_… --publishable --expires 2030-01-01',
          'vinr key ws_… --name "Till 3" --scopes tills:read,tills:write',
        ],
        ENVIRONMENT,
      ),
    )
    .action(ending(1, createKey))
}

function dateOf(text: string): Date {
  const date = new Date(text)
  if (Number.isNaN(date.getTime())) throw new InvalidArgumentError('It is not a date.')
  return date
}

function scopesOf(text: string): HeldScope[] {
  const known: readonly string[] = [ALL_SCOPES, ...SCOPES]
  const named = text.split(',').map((scope) => scope.trim())
  const wrong = named.find((scope) => !known.includes(scope))
  if (wrong !== undefined) throw new InvalidArgumentError(`There is no scope ${wrong}.`)
  return known.filter((scope): scope is HeldScope => named.includes(scope))
}

type Commands = ReturnType<typeof workspaceCommands>

/** A tenant with its keys, which are printed once and never again. */
const createWorkspace = (name: string, livemode: boolean): Promise<void> =>
  printing(async (commands) => {
    const workspace = newId('ws')
    return { workspace, ...(await commands.createWorkspace(workspace, name, livemode)) }
  })

/** One more key of a workspace; of the demo shop of `npm start` where none is named. */
const createKey = (
  workspace: string | undefined,
  { publishable, expires: expiresAt, ...rest }: KeyOptions,
): Promise<void> =>
  printing((commands, stackWorkspace) => {
    const named = workspace ?? stackWorkspace
    if (named === undefined) throw new Error('With a DATABASE_URL the workspace must be named.')
    if (publishable && rest.scopes !== undefined) {
      throw new Error('A publishable key has no scopes.')
    }
    const settings = { ...rest, expiresAt }
    return commands.createKey(named, publishable ? 'publishable' : 'secret', settings)
  })

/** A key that works for some seconds more at most. */
const revokeKey = (workspace: string, key: string): Promise<void> =>
  printing(async (commands) => {
    const revoked = await commands.revokeKey(workspace, key)
    if (!revoked) throw new Error(`${workspace} has no key ${key}`)
    return { revoked: key }
  })

async function printing(
  task: (commands: Commands, stackWorkspace: string | undefined) => Promise<object>,
): Promise<void> {
  const { url, workspace } = commandDatabase('DATABASE_URL')
  const { workspaceCommands } = await import('../app/workspaces.ts')
  const made = await withPool('workspace', url, (pool) =>
    task(workspaceCommands({ pool }), workspace),
  )
  console.log(JSON.stringify(made, null, 2))
}
