import { listWaitingEndpoints } from '../db/outbox.ts'
import type { Pool } from '../db/pool.ts'
import type { OnFailure } from '../domain/failure.ts'
import { type Breaker, connectionFailure } from './breaker.ts'
import { type Engine, within } from './engine.ts'
import { SIGNAL, WORKFLOW, webhookWorkflowId } from './names.ts'

// All that is committed within this signals an endpoint once. A tenth of what delivery takes anyway.
const GATHER_MS = 5
const MOST_WORKSPACES = 10_000 // kept while Temporal is away

type State = 'gathering' | 'reading' | 'reading, and more was written' | 'away'

/**
 * Signals webhook endpoints that have something due and no run at work, in the background and once for many
 * commits. Their delivery rows are their outbox: what is lost here the reconciler finds.
 */
export class EndpointSignals {
  readonly #pool: Pool
  readonly #engine: Engine
  readonly #onFailure: OnFailure
  readonly #breaker: Breaker
  /** Of workspaces with new deliveries. */
  readonly #states = new Map<string, State>()
  #closed = false

  constructor(parts: { pool: Pool; engine: Engine; onFailure: OnFailure; breaker: Breaker }) {
    this.#pool = parts.pool
    this.#engine = parts.engine
    this.#onFailure = parts.onFailure
    this.#breaker = parts.breaker
    this.#breaker.whenCallable(() => this.#goOn())
  }

  /** Deliveries were committed in this workspace; returns at once and never throws. */
  deliveriesWritten(workspace: string): void {
    if (this.#closed) return
    const state = this.#states.get(workspace)
    if (state === 'reading') this.#states.set(workspace, 'reading, and more was written')
    else if (state === undefined) this.#gather(workspace)
  }

  close(): void {
    this.#closed = true
    this.#states.clear()
  }

  #gather(workspace: string): void {
    this.#states.set(workspace, 'gathering')
    setTimeout(() => void this.#read(workspace), GATHER_MS).unref()
  }

  /** Where Temporal was away: the workspace that has waited longest first, its call being the probe. */
  #goOn(): void {
    for (const [workspace, state] of this.#states) {
      if (state !== 'away') continue
      this.#gather(workspace)
      if (this.#breaker.isOpen) return
    }
  }

  async #read(workspace: string): Promise<void> {
    if (this.#closed) return
    this.#states.set(workspace, 'reading')
    const isAway = !(await this.#signal(workspace))
    const state = this.#states.get(workspace)
    if (isAway && this.#states.size <= MOST_WORKSPACES) this.#states.set(workspace, 'away')
    else if (state === 'reading, and more was written') this.#gather(workspace)
    else this.#states.delete(workspace)
  }

  /** False where Temporal is away. */
  async #signal(workspace: string): Promise<boolean> {
    try {
      const endpoints = await listWaitingEndpoints(this.#pool, workspace)
      for (const endpoint of endpoints) {
        if (!this.#breaker.mayBegin(0, 1)) return false
        await signalEndpoint(this.#engine, { workspace, endpoint })
        this.#breaker.answered()
      }
    } catch (error) {
      const failure = connectionFailure(error)
      if (failure !== undefined) {
        this.#breaker.failed(failure, error)
        return false
      }
      this.#onFailure({ kind: 'webhook_start', error, about: { workspace } })
    }
    return true
  }
}

/** Signals an endpoint's run, or starts it: something is due. */
export async function signalEndpoint(
  engine: Engine,
  input: { workspace: string; endpoint: string },
): Promise<void> {
  await within(engine, () =>
    engine.client.workflow.signalWithStart(WORKFLOW.webhook, {
      workflowId: webhookWorkflowId(input.endpoint),
      taskQueue: engine.taskQueue,
      args: [input],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'USE_EXISTING',
      signal: SIGNAL.deliveriesDue,
      signalArgs: [],
    }),
  )
}
