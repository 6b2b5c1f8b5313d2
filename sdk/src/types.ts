import type { components, paths, webhooks } from './openapi.ts'

type Schemas = components['schemas']

export type Account = Schemas['Account']
export type Transaction = Schemas['Transaction']
export type Reward = Schemas['Reward']
export type Redemption = Schemas['Redemption']
export type Payment = Schemas['Payment']
export type Refund = Schemas['Refund']
export type Lot = Schemas['Lot']
export type Allocation = Schemas['Allocation']
export type TimelineEntry = Schemas['TimelineEntry']
export type Upcoming = Schemas['Upcoming']
export type Approval = Schemas['Approval']
export type AttentionItem = Schemas['AttentionItem']
export type SearchHit = Schemas['SearchHit']
export type TierChange = Schemas['TierChange']
export type Import = Schemas['Import']
export type BatchReversal = Schemas['BatchReversal']
export type Quote = Schemas['Quote']
export type CodePool = Schemas['CodePool']
export type CodeBatch = Schemas['CodeBatch']
export type StoreCredit = Schemas['StoreCredit']
export type StoreCreditTransaction = Schemas['StoreCreditTransaction']
export type LoggedRequest = Schemas['Request']
export type WebhookEndpoint = Schemas['WebhookEndpoint']
export type WebhookEndpointWithSecret = Schemas['WebhookEndpointWithSecret']
export type WebhookDelivery = Schemas['WebhookDelivery']
/** Every error code of the API. */
export type ErrorCode = Schemas['Error']['error']['code']
export type ErrorType = Schemas['Error']['error']['type']

type Method = 'get' | 'post' | 'patch' | 'put' | 'delete'
type OperationOf<P extends string, M extends Method> = P extends keyof paths
  ? M extends keyof paths[P]
    ? NonNullable<paths[P][M]>
    : unknown
  : unknown

/** What the API takes at a route; anything where this version of the document has no such route. */
export type BodyOf<P extends string, M extends Method> =
  OperationOf<P, M> extends { requestBody?: infer Sent }
    ? [NonNullable<Sent>] extends [{ content: { 'application/json': infer Body } }]
      ? Body
      : Record<string, unknown>
    : Record<string, unknown>

/** What the API answers at a route; what waits for an approval is thrown (VinrApprovalNeeded). */
export type ReplyOf<P extends string, M extends Method> =
  OperationOf<P, M> extends { responses: infer Responses }
    ? {
        [Code in keyof Responses]: Code extends 200 | 201 | 202
          ? Responses[Code] extends { content: { 'application/json': infer Reply } }
            ? Code extends 202
              ? Exclude<Reply, Approval>
              : Reply
            : never
          : never
      }[keyof Responses]
    : // biome-ignore lint/suspicious/noExplicitAny: a route that this document does not have yet
      any // oxlint-disable-line typescript/no-explicit-any

/** A list's query; `created` takes numbers (unix seconds), ISO 8601 texts and dates. */
export type QueryOf<P extends string> =
  OperationOf<P, 'get'> extends { parameters: { query?: infer Query } }
    ? Omit<NonNullable<Query>, 'created' | 'limit'> & ListQuery
    : Record<string, unknown> & ListQuery

export type Moment = number | string | Date
export type ListQuery = {
  limit?: number
  created?: { gt?: Moment; gte?: Moment; lt?: Moment; lte?: Moment }
}

type Webhook<Type extends keyof webhooks> = webhooks[Type] extends {
  post: { requestBody: { content: { 'application/json': { data: infer Payload } } } }
}
  ? Payload
  : never

type Data = { [Type in keyof webhooks]: Omit<Webhook<Type>, 'previous'> }

export type EventType = keyof Data

/** An event, by whose `type` its `data` is known. */
export type VinrEvent = {
  [Type in EventType]: Omit<Schemas['Event'], 'type' | 'data'> & {
    type: Type
    data: Data[Type] & { previous?: Partial<Data[Type]> }
  }
}[EventType]
