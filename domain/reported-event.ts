/** A till's event that was accepted: all that doing it later takes. `occurredAt`: ISO 8601. */
export type AcceptedEvent = {
  readonly workspace: string
  readonly id: string
  readonly eventId: string
  readonly fingerprint: string
  readonly type: string
  readonly user: string
  readonly payload: unknown
  readonly occurredAt: string
  readonly strict: boolean
  readonly dryRun: boolean
  readonly reactors: string
}
