import type { RequestHandler } from 'express'
import { refuse } from '../domain/refusal.ts'

/** Answers every other method than those of `allow` (as the Allow header lists them) with 405. */
export function wrongMethod(template: string, allow: string): RequestHandler {
  return (req, res) => {
    res.locals.route = template
    res.setHeader('Allow', allow)
    refuse('method_not_allowed', `There is no ${req.method} ${template}; there is ${allow}.`)
  }
}

/** For what is only read. */
export const onlyRead = (template: string): RequestHandler => wrongMethod(template, 'GET, HEAD')
