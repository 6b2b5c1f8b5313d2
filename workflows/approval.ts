import { continueAsNew, setCurrentDetails } from '@temporalio/workflow'
import type { ApprovalActivities } from '../activities/approval.ts'
import type { ApprovalEnding, ApprovalFacts, ApprovalInput, ApprovalWorkflow } from './inputs.ts'
import { isDue, Mailbox } from './mailbox.ts'
import { writes } from './write.ts'

const write = writes<ApprovalActivities>()

/**
 * Waits with a command for somebody's yes: reminds half-way, and ends it at its deadline. What is approved is
 * done by the request that approves it, and signalled.
 */
export async function approval(input: ApprovalInput): Promise<ApprovalEnding> {
  const { workspace, approval: id, expiresAt } = input
  const unread: ApprovalFacts = { status: 'pending', remindsAt: null, expiresAt }
  const mailbox = new Mailbox<ApprovalFacts>(input.facts ?? unread, input.revision)

  const advance = async () => {
    const at = new Date().toISOString()
    const facts = await write(({ advanceApproval }) => advanceApproval({ workspace, id, at }))
    if (facts !== null) mailbox.learn(facts)
  }

  for (;;) {
    mailbox.handle()
    const { status, remindsAt } = mailbox.facts
    if (status !== 'pending') {
      setCurrentDetails(`${what(input)}: ${status}.`)
      return { approval: id, status }
    }
    const next = remindsAt ?? expiresAt
    if (isDue(next)) {
      await mailbox.act(advance)
    } else {
      setCurrentDetails(waiting(input, remindsAt))
      if (mailbox.shouldContinueAsNew()) {
        const { facts, revision } = mailbox
        await continueAsNew<ApprovalWorkflow>({ ...input, facts, revision })
      }
      const summary = remindsAt === null ? 'expires' : 'reminds'
      await mailbox.newsOr(Date.parse(next), `${summary} at ${next}`)
    }
  }
}

const KINDS = {
  adjustment: 'an adjustment',
  import: 'an import',
  batch_reversal: 'the reversal of a batch',
}

function what({ kind, effect, asker }: ApprovalInput): string {
  const { points, rows, accounts } = effect
  return `${KINDS[kind]}, asked for by ${asker}, that moves ${points} points (rows: ${rows}, accounts: ${accounts})`
}

function waiting(input: ApprovalInput, remindsAt: string | null): string {
  const reminder = remindsAt === null ? 'its reminder has gone out' : `reminds at ${remindsAt}`
  return `Waits until ${input.expiresAt} for another person to approve ${what(input)}; ${reminder}.`
}
