/**
 * `node deploy/healthy.ts <url>`: exit code 0 where the URL answers 2xx, for health checks in an
 * image that has neither curl nor wget.
 */
const ANSWER_WITHIN_MS = 2_500 // below the health check's own limit, so that the reason is printed

const url = process.argv[2]
if (url === undefined) throw new Error('usage: node deploy/healthy.ts <url>')

try {
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })
  console.log(response.status, await response.text())
  process.exitCode = response.ok ? 0 : 1
} catch (error) {
  console.log(error instanceof Error ? (error.cause ?? error.message) : error)
  process.exitCode = 1
}
