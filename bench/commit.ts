import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { HERE, type Tree } from './contenders/product.ts'

const MOST_OF_AN_ARCHIVE = 512 * 1024 * 1024 // bytes

/**
 * The code of a commit, in `folder`, which is emptied first, with its dependencies: those that are here where
 * the commit names the same, else installed.
 */
export async function checkOut(commit: string, folder: string): Promise<Tree> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const archive = execFileSync('git', ['archive', commit], {
    cwd: HERE.folder,
    maxBuffer: MOST_OF_AN_ARCHIVE,
  })
  execFileSync('tar', ['-x', '-C', folder], { input: archive })
  if (lockOf(folder) === lockOf(HERE.folder)) {
    for (const modules of ['node_modules', 'sdk/node_modules']) {
      const here = join(HERE.folder, modules)
      if (existsSync(here)) symlinkSync(here, join(folder, modules))
    }
  } else {
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'inherit' })
  }
  const [{ migrate }, { seedDemo }]: [Pick<Tree, 'migrate'>, Pick<Tree, 'seedDemo'>] =
    await Promise.all([
      import(join(folder, 'db', 'migrate.ts')),
      import(join(folder, 'dev', 'demo.ts')),
    ])
  return { folder, migrate, seedDemo }
}

/** Seven digits and the subject. */
export const subjectOf = (commit: string): string =>
  execFileSync('git', ['log', '-1', '--format=%h %s', commit], { cwd: HERE.folder })
    .toString()
    .trim()

const lockOf = (folder: string) => readFileSync(join(folder, 'package-lock.json'), 'utf8')
