import type { Approval, ErrorCode, ErrorType } from './types.ts'

export type ErrorFields = {
  status: number
  code: ErrorCode
  type: ErrorType
  message: string
  param?: string | undefined
  requestId?: string | undefined
  /** What stands beside the fixed fields: `available`, `missing`, `resource`, ... */
  fields?: Readonly<Record<string, unknown>>
}

export type LineError = { line: number; code: ErrorCode; param?: string; message: string }

/** An answer of the API that is a "no". The code's own fields are properties as well. */
export class VinrError extends Error {
  override readonly name: string = 'VinrError'
  readonly status: number
  readonly code: ErrorCode
  readonly type: ErrorType
  readonly param: string | undefined
  readonly requestId: string | undefined
  readonly required?: number
  readonly available?: number
  readonly missing?: number
  /** The id of what is in the way. */
  readonly resource?: string
  /** The first hundred wrong lines of a refused import; `error_count` says how many there are. */
  readonly errors?: readonly LineError[]
  readonly error_count?: number

  constructor({ status, code, type, message, param, requestId, fields = {} }: ErrorFields) {
    super(message)
    Object.assign(this, fields)
    this.status = status
    this.code = code
    this.type = type
    this.param = param
    this.requestId = requestId
  }
}

export class VinrInvalidRequestError extends VinrError {
  override readonly name = 'VinrInvalidRequestError'
}
export class VinrAuthenticationError extends VinrError {
  override readonly name = 'VinrAuthenticationError'
}
export class VinrPermissionError extends VinrError {
  override readonly name = 'VinrPermissionError'
}
export class VinrNotFoundError extends VinrError {
  override readonly name = 'VinrNotFoundError'
}
export class VinrConflictError extends VinrError {
  override readonly name = 'VinrConflictError'
}
export class VinrUnprocessableError extends VinrError {
  override readonly name = 'VinrUnprocessableError'
}
export class VinrRateLimitError extends VinrError {
  override readonly name = 'VinrRateLimitError'
}
export class VinrApiError extends VinrError {
  override readonly name = 'VinrApiError'
}

/** No answer came: the outcome is unknown. Sending it again with the same key is safe. */
export class VinrConnectionError extends Error {
  override readonly name = 'VinrConnectionError'
}

/** What was asked for is above the asker's limit: it waits for another person, and nothing of it has happened. */
export class VinrApprovalNeeded extends Error {
  override readonly name = 'VinrApprovalNeeded'
  readonly approval: Approval

  constructor(approval: Approval) {
    super(`It waits for an approval, ${approval.id}, which is ${approval.status}.`)
    this.approval = approval
  }
}

/** A webhook that no secret given signed, or that is too old. */
export class VinrSignatureError extends Error {
  override readonly name = 'VinrSignatureError'
}

const CLASSES: Readonly<Record<ErrorType, new (fields: ErrorFields) => VinrError>> = {
  invalid_request_error: VinrInvalidRequestError,
  authentication_error: VinrAuthenticationError,
  permission_error: VinrPermissionError,
  not_found_error: VinrNotFoundError,
  conflict_error: VinrConflictError,
  unprocessable_error: VinrUnprocessableError,
  rate_limit_error: VinrRateLimitError,
  api_error: VinrApiError,
}

/** The error in an answer; one that is not the API's own (a proxy's) is `internal_error`. */
export function errorOf(status: number, body: unknown, requestId: string | undefined): VinrError {
  const found =
    typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined
  if (typeof found !== 'object' || found === null || !('code' in found)) {
    return new VinrApiError({
      status,
      code: 'internal_error',
      type: 'api_error',
      message: `The server answered ${status}.`,
      requestId,
    })
  }
  const { code, type, message, param, request_id, doc_url: _, ...fields } = found as ErrorBody
  const fixed = { status, code, type, message, param, requestId: request_id ?? requestId, fields }
  return new (Object.hasOwn(CLASSES, type) ? CLASSES[type] : VinrApiError)(fixed)
}

type ErrorBody = {
  code: ErrorCode
  type: ErrorType
  message: string
  param?: string
  request_id?: string
  doc_url?: string
}
