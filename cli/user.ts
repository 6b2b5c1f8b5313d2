import { createInterface } from 'node:readline'
import { type Command, Option } from 'commander'
import type { OneTimeToken } from '../app/invitations.ts'
import { commandDatabase } from '../db/command-database.ts'
import { ROLES, type Role } from '../domain/roles.ts'
import { ending, moreHelp } from './command.ts'
import { withPool } from './connections.ts'

const ENVIRONMENT = { DATABASE_URL: 'the application role' }
const EXAMPLES = [
  'vinr user invite mira@shop.example ws_… --owner',
  'vinr user reset mira@shop.example',
  'vinr user accept <token>',
]

export function addUser(program: Command): void {
  const user = program
    .command('user')
    .description('people: who is invited, and what a one-time token is redeemed for')
    .addHelpText('after', moreHelp(EXAMPLES, ENVIRONMENT))
  user
    .command('invite')
    .description('make a one-time token by which somebody comes into a workspace; printed once')
    .argument('<email>')
    .argument('[workspace]', 'ws_…; else the demo shop of npm start')
    .addOption(new Option('--role <role>', 'what they are there').choices(ROLES).default('viewer'))
    .option('--owner', 'as --role owner', false)
    .action(
      ending(1, (email: string, workspace: string | undefined, { owner, role }: InviteOptions) =>
        invite(email, workspace, owner ? 'owner' : role),
      ),
    )
  user
    .command('reset')
    .description('make a one-time token by which somebody sets another password; printed once')
    .argument('<email>')
    .action(ending(1, reset))
  user
    .command('accept')
    .description('redeem a token at the server, with a password that is asked for')
    .argument('<token>')
    .option('--name <name>', 'what one is called')
    .option('--url <url>', 'the server', process.env.VINR_BASE_URL)
    .action(ending(1, accept))
}

type InviteOptions = { role: Role; owner: boolean }

const invite = (email: string, workspace: string | undefined, role: Role): Promise<void> =>
  printing(email, async (commands, stackWorkspace) => {
    const named = workspace ?? stackWorkspace
    if (named === undefined) throw new Error('With a DATABASE_URL the workspace must be named.')
    return commands.inviteFirst(named, email.toLowerCase(), role)
  })

const reset = (email: string): Promise<void> =>
  printing(email, (commands) => commands.resetByEmail(email.toLowerCase()))

type Commands = Awaited<ReturnType<typeof loaded>>

// Loaded when it runs: the help needs no database.
const loaded = async (pool: Parameters<Parameters<typeof withPool>[2]>[0]) =>
  (await import('../app/invitations.ts')).invitationCommands({ pool })

async function printing(
  email: string,
  task: (commands: Commands, stackWorkspace: string | undefined) => Promise<OneTimeToken>,
): Promise<void> {
  const { url, workspace } = commandDatabase('DATABASE_URL')
  const { kind, token, expiresAt } = await withPool('user', url, async (pool) =>
    task(await loaded(pool), workspace),
  )
  const redeem = `vinr user accept ${token}`
  console.log(JSON.stringify({ email, kind, token, expires_at: expiresAt, redeem }, null, 2))
}

async function accept(
  token: string,
  { name, url }: { name?: string; url?: string },
): Promise<void> {
  if (url === undefined) throw new Error('Name the server: --url, or VINR_BASE_URL.')
  const password = await asked('Password, 12 characters or more: ')
  const answer = await fetch(new URL('/v1/sessions', url), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ token, password, ...(name !== undefined && { name }) }),
  })
  const body: unknown = await answer.json()
  if (!answer.ok) throw new Error(messageOf(body) ?? `The server answered ${answer.status}.`)
  console.log('Done: sign in with your e-mail and this password.')
}

function messageOf(body: unknown): string | undefined {
  const error: unknown = Reflect.get(Object(body), 'error')
  const message: unknown = Reflect.get(Object(error), 'message')
  return typeof message === 'string' ? message : undefined
}

/** One line of standard input; on a terminal it is not shown. */
function asked(question: string): Promise<string> {
  const { stdin, stderr } = process
  const lines = createInterface({ input: stdin, terminal: stdin.isTTY, output: undefined })
  stderr.write(question)
  return new Promise((resolve, reject) => {
    lines.once('line', (line) => {
      resolve(line)
      lines.close()
    })
    lines.once('close', () => reject(new Error('No password was given.')))
  })
}
