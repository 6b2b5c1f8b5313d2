import type { Client } from '@temporalio/client'

/** The client side of Temporal: where runs are started and messaged. */
export type Engine = { readonly client: Client; readonly taskQueue: string }
