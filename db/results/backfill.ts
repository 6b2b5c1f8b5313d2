/** How far a store is: rows looked at and changed so far, of all calls together. */
export type BackfillTurn = { seen: number; changed: number; ended: boolean }
