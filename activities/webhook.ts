import { Context } from '@temporalio/activity'
import {
  type DeliveryDependencies,
  type DeliveryRound,
  deliveries,
  type Target,
} from '../app/webhooks/deliveries.ts'

const HEARTBEAT_MS = 2_500

export type { DeliveryRound }

export type DeliveryActivities = ReturnType<typeof deliveryActivities>

/** What an endpoint's run does: one at a time for each endpoint. */
export function deliveryActivities(dependencies: DeliveryDependencies) {
  const { deliverRound } = deliveries(dependencies)
  return {
    /** Delivers what is due at one endpoint until nothing is, or its time is up. */
    deliverDue: async (target: Target): Promise<DeliveryRound> => {
      const { cancellationSignal } = Context.current()
      const beat = setInterval(() => Context.current().heartbeat(), HEARTBEAT_MS)
      try {
        return await deliverRound(target, cancellationSignal)
      } finally {
        clearInterval(beat)
      }
    },
  }
}
