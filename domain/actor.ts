export const ACTOR_TYPES = ['user', 'api_key', 'workflow', 'provider', 'system'] as const
type ActorType = (typeof ACTOR_TYPES)[number]

/** Who asks for a write: a person, a key, a workflow's run, a provider's endpoint, or the installation itself. */
export type Actor = {
  readonly type: ActorType
  readonly id: string
  readonly name: string | null
  /** Whom the actor says it acts for: who asked a workflow, or a person that a caller named. It gives no rights. */
  readonly onBehalfOf?: Actor | Person
}

/** Who asks in a request. */
export type Asker = Actor & { readonly type: 'user' | 'api_key' }

/** Who made a row, by the name they had. */
export type Maker = Pick<Asker, 'type' | 'id' | 'name'>

/** Whoever asks, as the maker of a row. */
export const makerOf = ({ type, id, name }: Asker): Maker => ({ type, id, name })

/** Somebody of the caller's own back office, under the caller's own id. */
export type Person = { readonly id: string; readonly name: string | null }

/** An actor as rows keep it and the API shows it: what is not known is left out. */
export type RecordedActor = {
  readonly type: ActorType
  readonly id: string
  readonly name?: string
  readonly on_behalf_of?: RecordedActor | RecordedPerson
}

type RecordedPerson = { readonly id: string; readonly name?: string }

/** The actor as it is recorded. */
export function recorded({ type, id, name, onBehalfOf }: Actor): RecordedActor {
  return {
    type,
    ...recordedPerson({ id, name }),
    ...(onBehalfOf !== undefined && {
      on_behalf_of: 'type' in onBehalfOf ? recorded(onBehalfOf) : recordedPerson(onBehalfOf),
    }),
  }
}

const recordedPerson = ({ id, name }: Person): RecordedPerson => ({
  id,
  ...(name !== null && { name }),
})

/** The actor that was recorded. */
export function actorOf({ type, id, name, on_behalf_of: other }: RecordedActor): Actor {
  return {
    type,
    id,
    name: name ?? null,
    ...(other !== undefined && {
      onBehalfOf: 'type' in other ? actorOf(other) : { id: other.id, name: other.name ?? null },
    }),
  }
}

// An id of another system: a number, an address, a name of a directory.
const PERSON = /^([\w.:@|/+-]{1,100})(?:\s*;\s*name="((?:[^"\\]|\\["\\]){1,200})")?$/
const LONGEST_NAME = 100
const CONTROL = /\p{Cc}/u

/**
 * The person that the header `Vinr-Actor` names: `<id>[; name="…"]`, the id at most 100 letters, digits and
 * `. _ : @ | / + -`, the name at most 100 characters in UTF-8. Undefined where it names none so.
 */
export function personOf(header: string): Person | undefined {
  const [, id, quoted] = PERSON.exec(header.trim()) ?? []
  if (id === undefined) return undefined
  if (quoted === undefined) return { id, name: null }
  const name = quoted.replaceAll(/\\(.)/g, '$1')
  return name.length > LONGEST_NAME || CONTROL.test(name) ? undefined : { id, name }
}
