/** Something that failed and stopped nothing else. `kind` is the metric's label and says who does it later. */
export type Failure = {
  readonly kind: string
  readonly error: unknown
  /** Ids of what it was about, never what that holds. */
  readonly about?: Readonly<Record<string, string>>
}

/** What is done with such a failure: it is counted and logged with its cause. */
export type OnFailure = (failure: Failure) => void
