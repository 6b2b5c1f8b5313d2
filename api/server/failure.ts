import type { ErrorRequestHandler, NextFunction, Request, Response } from 'express'
import { z } from 'zod'
import { Unavailable } from '../../app/unavailable.ts'
import { type Refusal, Refused } from '../../domain/refusal.ts'
import { isUnavailable } from '../../domain/unavailable.ts'
import { ERRORS } from './errors.ts'

const RETRY_AFTER_S = '1' // the outages we answer for last a restart; a client backs off by itself

const UNAVAILABLE =
  'A part of the server is out of reach, and the outcome may be unknown. Retry with the same Idempotency-Key.'
const INTERNAL = 'Something broke on our side. The request id finds it in the logs.'

/** What body-parser and the router throw, by their `type` or status. */
const BY_TYPE: Readonly<Record<string, Refusal>> = {
  'entity.too.large': {
    code: 'body_too_large',
    message: 'The body is larger than this route accepts.',
  },
  'encoding.unsupported': {
    code: 'unsupported_media_type',
    message: 'This Content-Encoding is not supported.',
  },
  'charset.unsupported': {
    code: 'unsupported_media_type',
    message: 'This charset is not supported.',
  },
}

/** Anything thrown, as a refusal. What is not a known "no" says nothing about its cause. */
function refusalFrom(error: unknown): Refusal {
  if (error instanceof Refused) return error.refusal
  if (error instanceof Unavailable)
    return { code: 'temporarily_unavailable', message: error.message }
  if (error instanceof z.ZodError) return refusalOf(error, undefined)
  const fromHttp = error instanceof Error ? refusalFromHttp(error) : undefined
  if (fromHttp !== undefined) return fromHttp
  if (isUnavailable(error)) return { code: 'temporarily_unavailable', message: UNAVAILABLE }
  return { code: 'internal_error', message: INTERNAL }
}

function refusalFromHttp(error: Error): Refusal | undefined {
  if (error instanceof URIError) {
    return { code: 'parameter_invalid', message: 'The path is not a valid URI.' }
  }
  const type: unknown = 'type' in error ? error.type : undefined
  const status: unknown = 'status' in error ? error.status : undefined
  const known = typeof type === 'string' && Object.hasOwn(BY_TYPE, type) ? BY_TYPE[type] : undefined
  if (known !== undefined) return known
  if (typeof status !== 'number' || status < 400 || status >= 500) return undefined
  return { code: 'invalid_json', message: 'The body is not valid JSON.' }
}

/** Answers whatever a handler or a middleware threw, in the one error shape. */
export function errorAnswer(publicUrl?: string): ErrorRequestHandler {
  return (error: unknown, req: Request, res: Response, next: NextFunction) => {
    const refusal = refusalFrom(error)
    const { status } = ERRORS[refusal.code]
    res.locals.code = refusal.code
    res.locals.param = refusal.param
    if (status >= 500) res.locals.error = error instanceof Error ? error : new Error(String(error))
    if (res.headersSent) return next(error)
    if (status === 401) res.setHeader('WWW-Authenticate', 'Bearer')
    if ((status === 429 || status === 503) && !res.hasHeader('Retry-After')) {
      const { retry_after: seconds = RETRY_AFTER_S } = refusal.fields ?? {}
      res.setHeader('Retry-After', String(seconds))
    }
    res
      .status(status)
      .json(errorBody(refusal, res.locals.requestId ?? '', publicUrl ?? originOf(req)))
  }
}

/** The body of an error; per-code fields stand inside `error`, and cannot displace the fixed ones. */
function errorBody(refusal: Refusal, requestId: string, origin: string) {
  const { code, message, param, resource, fields } = refusal
  const fixed = {
    type: ERRORS[code].type,
    code,
    message,
    param,
    doc_url: `${origin}/docs/errors#${code}`,
    request_id: requestId,
    resource,
  }
  return { error: { ...fixed, ...fields, ...fixed } }
}

const HOST = /^[\w.:[\]-]{1,255}$/

/** This server as the caller addressed it; empty (a relative address) where the Host header is odd. */
function originOf(req: Request): string {
  const host = req.host
  return host !== undefined && HOST.test(host) ? `${req.protocol}://${host}` : ''
}

type Issue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

/**
 * What a schema says against a body or a query, as the refusal of one named
 * parameter: an unknown one first (a typo explains the missing one), then
 * whatever stands first in the schema.
 */
export function refusalOf(error: z.ZodError, input: unknown): Refusal {
  const issues = error.issues.map((issue) => concrete(issue, []))
  const first = issues.find(({ issue }) => issue.code === 'unrecognized_keys') ?? issues[0]
  if (first === undefined)
    return { code: 'parameter_invalid', message: 'The request is not valid.' }
  return refusalOfIssue(first.issue, first.path, input)
}

function refusalOfIssue(issue: Issue, path: Path, input: unknown): Refusal {
  if (issue.code === 'unrecognized_keys') {
    const param = dotted([...path, issue.keys[0] ?? ''])
    return { code: 'parameter_unknown', message: `Unknown parameter: ${param}.`, param }
  }
  const param = dotted(path)
  if (param === '') return { code: 'parameter_invalid', message: sentence('The body', issue) }
  if (valueAt(input, path) === undefined) {
    return { code: 'parameter_missing', message: `Missing required parameter: ${param}.`, param }
  }
  return { code: 'parameter_invalid', message: sentence(param, issue), param }
}

/** Goes into the branch of a union that came closest, and into a record's bad key. */
function concrete(issue: Issue, prefix: Path): { issue: Issue; path: Path } {
  const path = [...prefix, ...issue.path]
  if (issue.code === 'invalid_union') {
    const branch = closest(issue.errors)
    if (branch !== undefined) return concrete(branch, path)
  }
  return { issue, path }
}

function closest(branches: readonly (readonly Issue[])[]): Issue | undefined {
  const ranked = branches
    .map((issues) => ({ first: issues[0], misses: misses(issues) }))
    .sort((a, b) => a.misses - b.misses)
  return ranked[0]?.first
}

const WRONG_KIND = 100 // a branch of another type altogether is further off than any wrong field

function misses(issues: readonly Issue[]): number {
  return issues.reduce((sum, issue) => {
    if (issue.code === 'unrecognized_keys') return sum + issue.keys.length
    return sum + (issue.path.length === 0 ? WRONG_KIND : 1)
  }, 0)
}

function valueAt(input: unknown, path: Path): unknown {
  let value = input
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = Reflect.get(value, key)
  }
  return value
}

function dotted(path: Path): string {
  return path.map(String).join('.')
}

function sentence(subject: string, issue: Issue): string {
  const said = issue.message.replace(/^Invalid input: /, '').replace(/^Invalid option: /, '')
  return `${subject}: ${said}.`.replace(/\.\.$/, '.')
}
