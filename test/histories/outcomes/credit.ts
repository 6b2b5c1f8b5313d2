import { WORKFLOW } from '../../../workflows/messages.ts'
import { begin, type Outcomes } from './outcome.ts'

export const creditOutcomes: Outcomes = {
  'credit expiry with nothing due': async (house) => {
    return begin(house, WORKFLOW.creditExpiry)
  },
}
