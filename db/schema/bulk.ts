import { index, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { BULK_KINDS, BULK_STATUSES } from '../../domain/bulk.ts'
import { actedBy, idText, instant } from './columns.ts'

/** A row of an import or a reversal that the ledger refused while it ran. */
export type BulkRefusal = { line?: number; transaction?: string; code: string }

/** Many movements as one run: an import of rows, or the reversal of a batch. Its workflow carries its id. */
export const bulk = pgTable(
  'bulk',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    kind: text('kind', { enum: BULK_KINDS }).notNull(),
    batch: text('batch').notNull(),
    status: text('status', { enum: BULK_STATUSES }).notNull().default('running'),
    // Rows in all, rows written, and rows refused; written and refused together are what is done.
    total: integer('total').notNull(),
    posted: integer('posted').notNull().default(0),
    refused: integer('refused').notNull().default(0),
    // The first of them, for the report.
    refusals: jsonb('refusals').$type<BulkRefusal[]>().notNull().default([]),
    // Where a reversal has got to: the last ptx it looked at.
    cursor: text('cursor'),
    fingerprint: text('fingerprint').notNull(),
    createdAt: instant('created_at').notNull(),
    // When it last wrote something; the reconciler looks after one that stands still.
    progressedAt: instant('progressed_at').notNull(),
    completedAt: instant('completed_at'),
    // Who asked for it: its run acts on their behalf.
    actor: actedBy(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    index('bulk_newest').on(t.workspace, t.createdAt, t.id),
    index('bulk_batch').on(t.workspace, t.batch),
  ],
)

/** Rows of an import, checked and waiting, some hundreds together; written to the ledger all at once or not at all. */
export const bulkChunk = pgTable(
  'bulk_chunk',
  {
    workspace: idText('workspace').notNull(),
    bulk: idText('bulk').notNull(),
    no: integer('no').notNull(),
    rows: jsonb('rows').notNull(),
    postedAt: instant('posted_at'),
  },
  (t) => [primaryKey({ columns: [t.workspace, t.bulk, t.no] })],
)

/**
 * Files of imports that are being read. The checked chunks of one are in bulk_chunk under its id; they become
 * an import's when the whole file was good, and are removed where it was not or its process died.
 */
export const bulkUpload = pgTable(
  'bulk_upload',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    openedAt: instant('opened_at').notNull(),
    // When its process last said that it lives.
    aliveAt: instant('alive_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspace, t.id] }), index('bulk_upload_alive').on(t.aliveAt)],
)
