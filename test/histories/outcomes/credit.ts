import { WORKFLOW } from '../../../temporal/names.ts'
import { begin, type Outcomes } from './outcome.ts'

export const creditOutcomes: Outcomes = {
  'credit expiry with nothing due': async (house) => {
    return begin(house, WORKFLOW.creditExpiry)
  },
}
