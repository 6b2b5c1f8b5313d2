import { workspaceCommands } from '../app/workspaces.ts'
import { commandDatabase } from '../db/command-database.ts'
import { newId } from '../domain/ids.ts'
import { withPool } from './database.ts'

type Commands = ReturnType<typeof workspaceCommands>

/** `vinr workspace create`: a tenant with its keys, which are printed once and never again. */
export const createWorkspace = (name: string, livemode: boolean): Promise<void> =>
  printing(async (commands) => {
    const workspace = newId('ws')
    return { workspace, ...(await commands.createWorkspace(workspace, name, livemode)) }
  })

/** `vinr key`: one more key of a workspace; of the demo shop of `npm start` where none is named. */
export const createKey = (
  workspace: string | undefined,
  { publishable, expires }: { publishable: boolean; expires: Date | null },
): Promise<void> =>
  printing((commands, stackWorkspace) => {
    const named = workspace ?? stackWorkspace
    if (named === undefined) throw new Error('With a DATABASE_URL the workspace must be named.')
    return commands.createKey(named, publishable ? 'publishable' : 'secret', expires)
  })

/** `vinr workspace revoke`: a key that works for some seconds more at most. */
export const revokeKey = (workspace: string, key: string): Promise<void> =>
  printing(async (commands) => {
    const revoked = await commands.revokeKey(workspace, key, new Date())
    if (!revoked) throw new Error(`${workspace} has no key ${key}`)
    return { revoked: key }
  })

async function printing(
  task: (commands: Commands, stackWorkspace: string | undefined) => Promise<object>,
): Promise<void> {
  const { url, workspace } = commandDatabase('DATABASE_URL')
  const made = await withPool('workspace', url, (pool) =>
    task(workspaceCommands({ pool }), workspace),
  )
  console.log(JSON.stringify(made, null, 2))
}
