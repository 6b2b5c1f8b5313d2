import { defineSignal } from '@temporalio/workflow'

/** The walk over a program's members is found by the program's id, which workspaces share. */
export const tierReassessmentWorkflowId = (workspace: string, program: string): string =>
  `${workspace}/${program}/tiers`

export type TierReassessmentInput = {
  readonly workspace: string
  readonly program: string
  /** Changes of tier made by the runs that this one continues. */
  readonly changed?: number
}

export type TierReassessmentEnding = {
  readonly program: string
  readonly judged: number
  readonly changed: number
  readonly story: string
}

export type TierReassessmentWorkflow = (
  input: TierReassessmentInput,
) => Promise<TierReassessmentEnding>

/** The program's tiers were changed once more. */
export const tiersChanged = defineSignal('tiersChanged')
