import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** The parsed file, or undefined where it is absent or unreadable: the caller then starts anew. */
export function readState(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

/** Writes it whole or not at all, readable by its owner only: most of these hold keys. */
export function writeState(file: string, value: unknown) {
  const unfinished = `${file}.${process.pid}`
  rmSync(unfinished, { force: true })
  writeFileSync(unfinished, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 })
  renameSync(unfinished, file)
}
