import { sql } from 'drizzle-orm'
import { call } from './call.ts'
import { callIn } from './call-in-transaction.ts'
import type { Pool } from './pool.ts'
import { type Db, inWorkspace } from './workspace-client.ts'

/** An import's file while it is read: its checked chunks are kept, and no import has them yet. */
export type Upload = { workspace: string; id: string }

/** False where the workspace reads `most` files already, in all processes together. */
export const openUpload = (pool: Pool, { workspace, id }: Upload, most: number): Promise<boolean> =>
  call<boolean>(pool, 'bulk_upload_open', [workspace, id, most])

/** Keeps rows of one chunk, as JSON text: parsed by the database alone. False where the upload was taken for dead. */
export const keepChunk = (
  pool: Pool,
  { workspace, id }: Upload,
  { no, rows }: { no: number; rows: string },
): Promise<boolean> => call<boolean>(pool, 'bulk_upload_keep', [workspace, id, no, rows])

/** Says that its process lives, while its sender is slow. */
export const markUploadAlive = (pool: Pool, { workspace, id }: Upload): Promise<unknown> =>
  inWorkspace(pool, workspace, (db) =>
    db.execute(
      sql`update bulk_upload set alive_at = clock_timestamp() where workspace = ${workspace} and id = ${id}`,
    ),
  )

/** Its chunks are the import's from here on. Returns how many; null where the upload was taken for dead. */
export const adoptUpload = (
  tx: Db,
  { workspace, id }: Upload,
  bulk: string,
): Promise<number | null> => callIn(tx, 'bulk_upload_adopt', [workspace, id, bulk])

/** Removes it with its chunks; nothing where an import has them. */
export const forgetUpload = (pool: Pool, { workspace, id }: Upload): Promise<void> =>
  inWorkspace(pool, workspace, (db) => callIn(db, 'bulk_upload_forget', [workspace, id]))

/** Across workspaces: removes what processes left that died while they read; returns of how many files. */
export const forgetDeadUploads = (pool: Pool, limit: number): Promise<number> =>
  call<number>(pool, 'bulk_uploads_forget_dead', [limit])
