/** What proves that functions write their outbox rows: something is done, and the row is there. */
export type Proof = { of: readonly string[]; title: string; prove(): Promise<void> }
