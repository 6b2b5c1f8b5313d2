import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ownersFolder } from './servers.ts'

test('what a server keeps is its owner’s alone, in a folder that an earlier version left open too', () => {
  const place = mkdtempSync(join(tmpdir(), 'vinr-folder-'))
  const open = join(place, 'open')
  mkdirSync(open)
  chmodSync(open, 0o755)
  for (const folder of [open, join(place, 'new', 'inner')]) {
    ownersFolder(folder)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
  }
  rmSync(place, { recursive: true })
})
