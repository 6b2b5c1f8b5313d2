import {
  type BatchArguments,
  postBatch,
  type ReverseArguments,
  reversePoints,
} from '../db/movements.ts'
import { type PostArguments, postPoints } from '../db/transactions.ts'
import type { Engine } from '../temporal/engine.ts'
import type { Dependencies } from './dependencies.ts'
import { armExpiries } from './expiry.ts'

/**
 * The writers of movements outside redemptions, run by the API. Without an engine no expiry run
 * is armed: the batch and the net look after the dates.
 */
export function transactionActivities(
  dependencies: Pick<Dependencies, 'pool' | 'onFailure'> & { engine?: Engine },
) {
  const { pool } = dependencies
  const armed = async <R extends { wakes?: Parameters<typeof armExpiries>[2] }>(
    workspace: string,
    result: R,
  ): Promise<R> => {
    await armExpiries(dependencies, workspace, result.wakes)
    return result
  }

  return {
    postTransaction: async (post: PostArguments) =>
      armed(post.workspace, await postPoints(pool, post)),
    reverseTransaction: async (ask: ReverseArguments) =>
      armed(ask.workspace, await reversePoints(pool, ask)),
    postTransactions: async (batch: BatchArguments) =>
      armed(batch.workspace, await postBatch(pool, batch)),
  }
}
