/** What a redemption's run can be asked, for `askRedemption`. */
export {
  cancel,
  confirm,
  extend,
  fulfill,
  type MessageAnswer,
  type Operation,
  reverse,
} from '../workflows/messages.ts'
