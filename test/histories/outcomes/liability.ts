import { WORKFLOW } from '../../../temporal/names.ts'
import { begin, type Outcomes } from './outcome.ts'

export const liabilityOutcomes: Outcomes = {
  // rows count once they are ten seconds old, so this run adds none
  'ledger totals of a young ledger': async (house) => begin(house, WORKFLOW.ledgerTotals),
  'liability snapshot of the day': async (house) => begin(house, WORKFLOW.liabilitySnapshot),
}
