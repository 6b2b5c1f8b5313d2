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
