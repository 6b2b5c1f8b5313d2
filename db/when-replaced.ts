const UNDEFINED_FUNCTION = '42883'
const INTERNAL_ERROR = 'XX000' // of a function that was there when its call was planned

/**
 * Runs once more what failed because `migrate` had dropped a function it was about to call: what was under way
 * then is taken back, and the functions that call each other are of one version again.
 */
export async function onceMoreWhenReplaced<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (!isOfReplacedFunction(error)) throw error
    return run()
  }
}

/** Drizzle wraps the driver's error. */
function isOfReplacedFunction(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (!('code' in error)) return isOfReplacedFunction(error.cause)
  return (
    error.code === UNDEFINED_FUNCTION ||
    (error.code === INTERNAL_ERROR && error.message.startsWith('cache lookup failed for function'))
  )
}
