import {
  type ActivityInterfaceFor,
  CancellationScope,
  condition,
  isCancellation,
  type LocalActivityInterfaceFor,
  log,
  proxyActivities,
  proxyLocalActivities,
  rootCause,
} from '@temporalio/workflow'

export type Run<Activities, Answer> = (
  activities: ActivityInterfaceFor<Activities> | LocalActivityInterfaceFor<Activities>,
) => Promise<Answer>

/** Runs a short write until it is answered; null where that is not needed any more, or cannot be. */
type Write<Activities> = <Answer>(
  run: Run<Activities, Answer>,
  isMoot?: () => boolean,
) => Promise<Answer | null>

/**
 * How a run writes. First by a local activity, which costs one event, for as long as a database
 * takes to fail over; then by an activity that waits on the server until the database is back, which
 * costs no more events however long that takes, and which is given up once `isMoot` says that nothing
 * is left to write. An activity runs at least once, and again changes nothing.
 */
export function writes<Activities>(): Write<Activities> {
  const local = proxyLocalActivities<Activities>({
    startToCloseTimeout: '3s',
    scheduleToCloseTimeout: '3s', // well within a workflow task, which would else be renewed
    retry: { initialInterval: '100ms', maximumAttempts: 3 },
  })
  const lasting = proxyActivities<Activities>({
    startToCloseTimeout: '10s',
    // the reconciler does what is two minutes late, and then the run is signalled its end
    retry: { initialInterval: '1s', maximumInterval: '5m' },
  })
  return async (run, isMoot = () => false) => {
    try {
      return await run(local)
    } catch (error) {
      if (isCancellation(error)) throw error
    }
    return isMoot() ? null : until(isMoot, () => run(lasting))
  }
}

async function until<Answer>(
  isMoot: () => boolean,
  run: () => Promise<Answer>,
): Promise<Answer | null> {
  const scope = new CancellationScope()
  let isAnswered = false
  const answer = scope.run(run).finally(() => {
    isAnswered = true
  })
  answer.catch(() => {}) // handled below; the condition comes first
  await condition(() => isAnswered || isMoot())
  if (!isAnswered) scope.cancel()
  try {
    return await answer
  } catch (error) {
    if (isCancellation(error) && isMoot()) return null
    if (isCancellation(error)) throw error
    log.error('a write failed for good', { cause: rootCause(error) })
    return null
  }
}
