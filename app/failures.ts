import type { Logger } from 'pino'
import { Counter, type Registry } from 'prom-client'
import type { OnFailure } from '../domain/failure.ts'

/** Counts failures by kind in `registry` and logs each with its cause. */
export function failuresTo(registry: Registry, log: Pick<Logger, 'error'>): OnFailure {
  const failures = new Counter({
    name: 'vinr_failures_total',
    help: 'What failed, stopped nothing else and is left to be done again, by kind; zero in a healthy system.',
    labelNames: ['kind'],
    registers: [registry],
  })
  return ({ kind, error, about }) => {
    failures.inc({ kind })
    log.error({ err: error, kind, ...about }, 'failed, and left to be done again')
  }
}

/** Where nobody said what to do with failures, as in a command: the process's standard error. */
export const failuresToStandardError: OnFailure = ({ kind, error, about }) =>
  console.error(`${kind} failed, and is left to be done again`, about ?? '', error)
