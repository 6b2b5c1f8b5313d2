import { createHmac } from 'node:crypto'
import { migrate } from '../../db/migrate.ts'
import { createOwner } from '../../db/owner.ts'

const DATABASE = 'vinr'
const OWNER = 'vinr_owner'
const APPLICATION = 'vinr_app'
const WORKER = 'vinr_worker'

type DatabaseUrls = { owner: string; application: string; worker: string }

/**
 * The URLs of the product's three roles on the embedded Postgres. Their passwords follow from the
 * superuser's, so that there is no second file to lose.
 */
export function databaseUrls(adminUrl: string): DatabaseUrls {
  const admin = new URL(adminUrl)
  const urlOf = (role: string) => {
    const url = new URL(adminUrl)
    url.username = role
    url.password = createHmac('sha256', admin.password).update(role).digest('base64url')
    url.pathname = `/${DATABASE}`
    return url.href
  }
  return { owner: urlOf(OWNER), application: urlOf(APPLICATION), worker: urlOf(WORKER) }
}

/** Creates the roles and the database where they are absent, and brings the schema up to date. */
export async function prepareSchema(adminUrl: string, onProgress: (line: string) => void) {
  const urls = databaseUrls(adminUrl)
  try {
    await createOwner(adminUrl, urls.owner)
    await migrate({
      ownerUrl: urls.owner,
      applicationUrl: urls.application,
      workerUrl: urls.worker,
      onProgress,
    })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`The database could not be brought up to date: ${reason}`, { cause })
  }
  return urls
}
