/** How long a run that was started before its row, as the release before did, waits for that to come. Milliseconds. */
export const CREATION_WINDOW_MS = 30_000
