/**
 * An action whose failure ends in one line on standard error and the exit code `failed`. Where it answers
 * false, it did its work and found something that is not as it should be: exit code 1.
 */
export const ending =
  <Arguments extends unknown[]>(failed: number, act: (...given: Arguments) => Promise<unknown>) =>
  async (...given: Arguments): Promise<void> => {
    try {
      if ((await act(...given)) === false) process.exitCode = 1
    } catch (error) {
      console.error(error instanceof Error ? error.message : error)
      process.exitCode = failed
    }
  }

/** The end of a command's help: how it is called, and what it reads from the environment. */
export function moreHelp(examples: string[], environment: Record<string, string> = {}): string {
  const variables = Object.entries(environment)
  const width = Math.max(0, ...variables.map(([name]) => name.length))
  return [
    '',
    'Examples:',
    ...examples.map((line) => `  ${line}`),
    ...(variables.length > 0 ? ['', 'Environment:'] : []),
    ...variables.map(([name, meaning]) => `  ${name.padEnd(width)}  ${meaning}`),
  ].join('\n')
}
