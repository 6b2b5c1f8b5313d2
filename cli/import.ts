import { extname } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { ending, moreHelp } from './command.ts'

/** A file, and its media type by its name. */
export type ImportFile = { path: string; type: string }

type Options = { batch?: string; key?: string }

export function addImport(program: Command): void {
  program
    .command('import')
    .summary('import a file of movements')
    .description('import a file of movements; exit code 1 where it, or a row of it, was refused')
    .argument('<file>', '.csv, .ndjson or .jsonl', importable)
    .option('--batch <tag>', 'the tag that its movements carry')
    .option('--key <key>', 'an Idempotency-Key; another one imports the same file anew')
    .addHelpText(
      'after',
      '\nThe same file with the same tag is imported once: run it again to follow it.',
    )
    .addHelpText(
      'after',
      moreHelp(['vinr import members.csv --batch opening-2026'], {
        VINR_BASE_URL: 'the server',
        VINR_SECRET_KEY: 'a secret key of the workspace',
      }),
    )
    .action(
      ending(1, async (file: ImportFile, { batch, key }: Options) =>
        (await import('./import-file.ts')).importFile(file, { batch, key }),
      ),
    )
}

const TYPES: Readonly<Record<string, string>> = {
  '.csv': 'text/csv; charset=utf-8',
  '.ndjson': 'application/x-ndjson',
  '.jsonl': 'application/x-ndjson',
}

function importable(path: string): ImportFile {
  const type = TYPES[extname(path).toLowerCase()]
  if (type === undefined)
    throw new InvalidArgumentError('It must be named .csv, .ndjson or .jsonl.')
  return { path, type }
}
