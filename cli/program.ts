import { Command } from 'commander'
import { productVersion } from '../api/server/version.ts'
import { addImport } from './import.ts'
import { addMigrate } from './migrate.ts'
import { addOpenApi } from './openapi.ts'
import { addPaymentProvider } from './payment-provider.ts'
import { addReconcile } from './reconcile.ts'
import { addResignal } from './resignal.ts'
import { addUser } from './user.ts'
import { addKey, addWorkspace } from './workspace.ts'

/** The `vinr` command. What a command does is loaded when it runs, so that its help is there at once. */
export function vinr(): Command {
  const program = new Command('vinr')
    .description(
      'Tends an installation of VINR Engagement. Databases and servers are those that the environment names, else those of the stack that `npm start` runs on this folder (DATA_DIR).',
    )
    .version(productVersion())
    .showHelpAfterError()
  addMigrate(program)
  addWorkspace(program)
  addKey(program.command('key'))
  addUser(program)
  addPaymentProvider(program)
  addImport(program)
  addReconcile(program)
  addResignal(program)
  addOpenApi(program)
  return program
}
