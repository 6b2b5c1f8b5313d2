import { sleep } from '@temporalio/workflow'
export async function nap(): Promise<number> { const a = Date.now(); await sleep('30 minutes'); return Date.now() - a }
export async function startedAt(): Promise<number> { return Date.now() }
