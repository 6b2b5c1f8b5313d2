import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const PROJECT = join(import.meta.dirname, '..', '..')

export const COMPOSE_FILE = join(PROJECT, 'docker-compose.yml')

/** What .env must set; the values only have to differ. */
export const SECRETS = {
  POSTGRES_PASSWORD: 'of-the-administrator',
  OWNER_DATABASE_PASSWORD: 'of-the-owner',
  APP_DATABASE_PASSWORD: 'of-the-application',
  WORKER_DATABASE_PASSWORD: 'of-the-worker',
  TEMPORAL_DATABASE_PASSWORD: 'of-temporal',
}

/** The text of a file of the project. */
export function projectFile(path: string): string {
  return readFileSync(join(PROJECT, path), 'utf8')
}

/** As whom the product's image runs. */
export function userOfImage(): string | undefined {
  return [...projectFile('Dockerfile').matchAll(/^USER (\S+)$/gm)].at(-1)?.[1]
}
