import pg from 'pg'

/** Creates the owner role and its database, for a server where there is nothing yet but an administrator. */
export async function createOwner(adminUrl: string, ownerUrl: string): Promise<void> {
  const owner = new URL(ownerUrl)
  const role = decodeURIComponent(owner.username)
  const database = owner.pathname.slice(1)
  const client = new pg.Client({ connectionString: adminUrl })
  await client.connect()
  try {
    const roles = await client.query('select from pg_roles where rolname = $1', [role])
    if (!roles.rowCount) {
      await client.query(
        `create role ${pg.escapeIdentifier(role)} login createrole password ${pg.escapeLiteral(decodeURIComponent(owner.password))}`,
      )
    }
    const databases = await client.query('select from pg_database where datname = $1', [database])
    if (!databases.rowCount) {
      await client.query(
        `create database ${pg.escapeIdentifier(database)} owner ${pg.escapeIdentifier(role)}`,
      )
    }
  } finally {
    await client.end()
  }
}
