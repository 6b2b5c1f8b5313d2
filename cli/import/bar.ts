const WIDTH = 30

/** How far something is, in one line: `writing    [########......] 57% 570/1000`. */
export function bar(what: string, done: number, total: number): string {
  const part = total === 0 ? 1 : Math.min(done / total, 1)
  const filled = '#'.repeat(Math.floor(part * WIDTH)).padEnd(WIDTH, '.')
  return `${what.padEnd(10)} [${filled}] ${Math.floor(part * 100)}% ${done}/${total}`
}

/** Draws it over itself on a terminal; elsewhere, in a log, it would only fill lines. */
export function draw(what: string, done: number, total: number): void {
  if (process.stdout.isTTY) process.stdout.write(`\r${bar(what, done, total)}\u001B[K`)
}

export function endBar(): void {
  if (process.stdout.isTTY) process.stdout.write('\n')
}
