import { followUp } from '../../activities/follow-ups.ts'
import { signalCreated } from '../../temporal/redemption.ts'
import type { Deps } from '../deps.ts'

type RunInput = Parameters<typeof signalCreated>[1]

/** Tells runs armed for days to look for a row that there will not be; untold, they end at their deadline. */
export function endSoon({ engine, onFailure }: Deps, inputs: readonly RunInput[]): Promise<void> {
  const [first] = inputs
  if (first === undefined) return Promise.resolve()
  const about = { workspace: first.workspace, redemption: first.redemption }
  const send = (input: RunInput) => signalCreated(engine, input)
  return followUp(inputs, send, { kind: 'redemption_end', about, onFailure })
}
