/** Who asks for a write, as far as a request can say: a person, or the key of a program. */
export type Actor = {
  readonly type: 'user' | 'api_key'
  readonly id: string
  readonly name: string | null
}
