import { execFile } from 'node:child_process'
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const SDK = join(import.meta.dirname, '../../sdk')

/** Puts the SDK, as it is published, into this folder: what `npm install` of its package would leave there. */
export async function buildSdk(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await copyFile(join(SDK, 'package.json'), join(folder, 'package.json'))
  const bins = [join(SDK, 'node_modules/.bin'), join(SDK, '../node_modules/.bin')].join(':')
  await promisify(execFile)(process.execPath, ['build.mjs', '--out', join(folder, 'dist')], {
    cwd: SDK,
    env: { ...process.env, PATH: `${bins}:${process.env.PATH}` },
  })
}
