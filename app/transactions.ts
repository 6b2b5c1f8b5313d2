import {
  type BatchArguments,
  postBatch,
  type ReverseArguments,
  reversePoints,
} from '../db/movements.ts'
import { type PostArguments, postPoints } from '../db/transactions.ts'
import type { Dependencies } from './dependencies.ts'

/** The writers of movements outside redemptions. */
export function transactionCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    postTransaction: (post: PostArguments) => postPoints(pool, post),
    reverseTransaction: (ask: ReverseArguments) => reversePoints(pool, ask),
    postTransactions: (batch: BatchArguments) => postBatch(pool, batch),
  }
}
