import { importDirections } from './import-directions.js'
import { noClock } from './no-clock.js'
import { noSql } from './no-sql.js'

/** The house's own lint rules; .oxlintrc.json says where each of them holds. */
export default {
  meta: { name: 'house' },
  rules: { 'import-directions': importDirections, 'no-clock': noClock, 'no-sql': noSql },
}
