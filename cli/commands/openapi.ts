import type { Command } from 'commander'
import { ending } from './ending.ts'
import { moreHelp } from './help.ts'

export function addOpenApi(program: Command): void {
  program
    .command('openapi')
    .description('write openapi.json from the code, without a database')
    .option('--check', 'write nothing; exit code 1 where the file says something else', false)
    .addHelpText('after', moreHelp(['vinr openapi', 'vinr openapi --check']))
    .action(
      ending(1, async ({ check }: { check: boolean }) => {
        await (await import('../openapi.ts')).writeOpenApi({ check })
      }),
    )
}
