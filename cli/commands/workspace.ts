import { type Command, InvalidArgumentError } from 'commander'
import { ending } from './ending.ts'
import { moreHelp } from './help.ts'

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
    .action(
      ending(1, async (name: string, { live }: { live: boolean }) => {
        await (await import('../workspace.ts')).createWorkspace(name, live)
      }),
    )
  addKey(workspace.command('key'))
  workspace
    .command('revoke')
    .description('end a key, which may work for five seconds more')
    .argument('<workspace>', 'ws_…')
    .argument('<key>', 'the id of the key, key_…')
    .action(
      ending(1, async (id: string, key: string) => {
        await (await import('../workspace.ts')).revokeKey(id, key)
      }),
    )
}

type KeyOptions = { publishable: boolean; expires?: Date }

/** `vinr key` and `vinr workspace key` are one. */
export function addKey(command: Command): void {
  command
    .summary('make one more API key of a workspace')
    .description('make one more API key of a workspace, in its mode; it is printed once')
    .argument('[workspace]', 'ws_…; else the demo shop of npm start')
    .option('--publishable', 'a publishable key; else a secret one', false)
    .option('--expires <date>', 'ISO 8601; else the key has no end', dateOf)
    .addHelpText(
      'after',
      moreHelp(['vinr key', 'vinr key ws_… --publishable --expires 2030-01-01'], ENVIRONMENT),
    )
    .action(
      ending(1, async (workspace: string | undefined, { publishable, expires }: KeyOptions) => {
        const options = { publishable, expires: expires ?? null }
        await (await import('../workspace.ts')).createKey(workspace, options)
      }),
    )
}

function dateOf(text: string): Date {
  const date = new Date(text)
  if (Number.isNaN(date.getTime())) throw new InvalidArgumentError('It is not a date.')
  return date
}
