/** What any function may answer: a row of a table. */
export type { Snapshot } from '../snapshot.ts'
