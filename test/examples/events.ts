import { isDeepStrictEqual } from 'node:util'
import { EVENT_PAYLOADS, eventOfType } from '../../api/schemas/event-payloads.ts'
import type { Shop } from '../api/shop.ts'

/** The events of this shop that are not as their webhook's schema says, and the types of all. */
export async function eventsBySchema(shop: Shop) {
  const types = new Set<string>()
  const wrong: unknown[] = []
  let after = ''
  for (let more = true; more; ) {
    const { body } = await shop.get(`/v1/events?limit=100${after}`)
    for (const event of body.data) {
      const fact = EVENT_PAYLOADS[event.type]
      if (fact === undefined) continue // a type that the shop itself has defined
      types.add(event.type)
      const { success, data } = eventOfType(event.type, fact).safeParse(event)
      if (!success || !isDeepStrictEqual(data, event)) wrong.push({ event, data })
    }
    more = body.has_more
    after = `&starting_after=${body.data.at(-1)?.id}`
  }
  return { types: [...types], wrong }
}
