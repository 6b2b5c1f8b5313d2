import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { vinr } from '../../cli/program.ts'

const PROJECT = new URL('../../', import.meta.url).pathname

type ProgramEnd = { code: number; output: string; errors: string }

/** Runs a program of the clone with nothing in the environment but what it needs, and no stack to find. */
async function run(program: string, args: string[]): Promise<ProgramEnd> {
  const { PATH, HOME } = process.env
  const env = { PATH, HOME, DATA_DIR: '/nowhere', NO_COLOR: '1' }
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, { cwd: PROJECT, env })
    return { code: 0, output: stdout, errors: stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, output: stdout, errors: stderr }
  }
}

const COMMANDS = vinr().commands
const NAMES = [
  'import',
  'key',
  'migrate',
  'openapi',
  'payment-provider',
  'reconcile',
  'resignal',
  'user',
  'workspace',
]

/** What a command prints as its help, with what stands after its options. */
function helpOf(command: (typeof COMMANDS)[number]): string {
  let text = ''
  command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp()
  return text
}

describe('the vinr command', () => {
  test('has a command for each task, and each says how it is called', () => {
    expect(COMMANDS.map((command) => command.name()).sort()).toEqual(NAMES)
    for (const command of COMMANDS) {
      expect(helpOf(command)).toMatch(
        new RegExp(`\nExamples:\n(  .*\n)*?  .*vinr ${command.name()}\\b`),
      )
    }
  })

  test.each([
    ['npx', ['--no', 'vinr', 'help']],
    ['npm', ['run', '--silent', 'vinr', '--', 'help']],
    ['cli/vinr.js', ['help']],
  ])('runs in the clone by %s', async (program, args) => {
    const { code, output } = await run(program, args)
    expect([code, output]).toEqual([
      0,
      expect.stringMatching(/^Usage: vinr \[options\] \[command\]/),
    ])
  })

  test('is what the npm scripts of these names run', () => {
    const { scripts } = JSON.parse(readFileSync(`${PROJECT}package.json`, 'utf8'))
    expect(scripts).toMatchObject({
      vinr: 'vinr',
      migrate: 'vinr migrate',
      import: 'vinr import',
      reconcile: 'vinr reconcile',
      'reconcile:runs': 'vinr reconcile --runs',
      resignal: 'vinr resignal',
      workspace: 'vinr workspace',
      'payment-provider': 'vinr payment-provider',
      openapi: 'vinr openapi',
    })
    expect(scripts['openapi:check']).toMatch(/^vinr openapi --check && /)
  })

  test('says on one line what a command lacks, and exits as the command says', async () => {
    const missing =
      /^MIGRATION_DATABASE_URL is not set, and there is no \/nowhere\/database.json: .*\n$/
    for (const args of [['reconcile'], ['reconcile', '--runs'], ['resignal']]) {
      const { code, errors } = await run('cli/vinr.js', args)
      expect([code, errors]).toEqual([2, expect.stringMatching(missing)])
    }
    const { code, errors } = await run('cli/vinr.js', ['migrate'])
    expect([code, errors]).toEqual([
      1,
      'MIGRATION_DATABASE_URL (owner role) and DATABASE_URL (application role) must be set\n',
    ])
  })

  test.each([
    [1, 'nothing', "error: unknown command 'nothing'"],
    [1, 'workspace create', "error: missing required argument 'name'"],
    [1, 'key --expires soon', "error: option '--expires <date>' argument 'soon' is invalid."],
    [1, 'payment-provider stripe', 'error: PAYMENT_SECRET must be set'],
    [2, 'reconcile --all', "error: unknown option '--all'"],
    [2, 'resignal everything', "error: too many arguments for 'resignal'."],
  ])('exits with %i after `vinr %s`, and shows how it is used', async (expected, line, message) => {
    const { code, errors } = await run('cli/vinr.js', line.split(' '))
    expect([code, errors]).toEqual([expected, expect.stringContaining(message)])
    expect(errors).toContain('\n\nUsage: vinr ')
  })

  test('openapi --check writes nothing and finds openapi.json as the code describes it', async () => {
    expect(await run('cli/vinr.js', ['openapi', '--check'])).toEqual({
      code: 0,
      output: '',
      errors: '',
    })
  })
})
