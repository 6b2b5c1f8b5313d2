/**
 * The caller's signal and a time limit in one. Not AbortSignal.timeout: its timer cannot be ended, and
 * there are runtimes that wait for it before they exit.
 */
export function limited(timeoutMs: number, given: AbortSignal | undefined) {
  const controller = new AbortController()
  let over = false
  const timer = setTimeout(() => {
    over = true
    controller.abort()
  }, timeoutMs)
  const abort = () => controller.abort()
  if (given?.aborted) abort()
  given?.addEventListener('abort', abort)
  return {
    signal: controller.signal,
    isOver: () => over,
    end: () => {
      clearTimeout(timer)
      given?.removeEventListener('abort', abort)
    },
  }
}
