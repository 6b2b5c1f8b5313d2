import { z } from 'zod'
import { ACTOR_TYPES } from '../../domain/actor.ts'

const person = {
  id: z.string().meta({ example: 'e-1841' }),
  name: z.string().optional().meta({ example: 'Anna' }),
}

const who = {
  type: z.enum(ACTOR_TYPES),
  id: z.string().meta({
    description:
      'Of a user, a key, a workflow, or a provider’s endpoint; of the system, what of it acted.',
    example: 'key_0659b2d1c4f0aQm3kT8sVw',
  }),
  name: z.string().optional(),
}

const OnBehalfOf = z
  .union([z.object({ ...who, on_behalf_of: z.object(person).optional() }), z.object(person)])
  .meta({
    description:
      'Of a workflow, who asked for it; else the person of the caller’s own back office that `Vinr-Actor` named. Nobody has checked that name.',
  })

/** Who did it. */
export const Actor = z
  .object({ ...who, on_behalf_of: OnBehalfOf.optional() })
  .meta({ id: 'Actor', description: 'Who did it.' })

/** The actor of a row; null in what was written before it was kept. */
export const actor = Actor.nullable()
