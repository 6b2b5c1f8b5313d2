import { continueAsNew, patched, setCurrentDetails, setHandler } from '@temporalio/workflow'
import type { PaymentActivities } from '../activities/payment.ts'
import type { PaymentEnding, PaymentFacts, PaymentInput, PaymentWorkflow } from './inputs.ts'
import { isDue, Mailbox } from './mailbox.ts'
import { paymentTold } from './messages.ts'
import { payment as previousPayment } from './previous/payment.ts'
import { writes } from './write.ts'

const write = writes<PaymentActivities>()

/**
 * What a payment's events leave to be done: an open sandbox payment expires at its time, pending points
 * wait here for their date, and what failed in the request is done until it is done.
 */
export async function payment(input: PaymentInput): Promise<PaymentEnding> {
  if (!patched('row-changed')) return previousPayment(input)
  const mailbox = new Mailbox<PaymentFacts>(input.facts ?? presumed(input), input.revision)
  setHandler(paymentTold, () => {
    mailbox.facts = { ...mailbox.facts, unfinished: true }
    mailbox.receive()
  })
  const { process, expire } = writers(input, mailbox)

  for (;;) {
    mailbox.handle()
    const { facts, revision } = mailbox
    const next = nextOf(facts)
    if (facts.unfinished || (next?.is === 'maturity' && isDue(next.at))) {
      await mailbox.act(process)
    } else if (next === null) {
      return ending(input, facts)
    } else if (isDue(next.at)) {
      await mailbox.act(expire)
    } else {
      setCurrentDetails(NEXT[next.is].details(next.at))
      if (mailbox.shouldContinueAsNew()) {
        await continueAsNew<PaymentWorkflow>({ ...input, facts, revision })
      }
      await mailbox.newsOr(Date.parse(next.at), NEXT[next.is].timer(next.at))
    }
  }
}

type Next = { is: 'expiry' | 'maturity' /** ISO 8601 */; at: string }

/** What is to be done at its time; of two the earlier. */
function nextOf({ status, expiresAt, maturesAt }: PaymentFacts): Next | null {
  const isOpen = status === 'requires_payment' || status === 'processing'
  const expiry = isOpen && expiresAt !== null ? ({ is: 'expiry', at: expiresAt } as const) : null
  if (maturesAt === null || (expiry !== null && expiry.at < maturesAt)) return expiry
  return { is: 'maturity', at: maturesAt }
}

const NEXT = {
  expiry: {
    details: (at: string) => `Open. Expires at ${at} unless it completes before.`,
    timer: (at: string) => `payment expires at ${at}`,
  },
  maturity: {
    details: (at: string) => `Points are pending and become spendable at ${at}.`,
    timer: (at: string) => `points mature at ${at}`,
  },
}

/** What an API of the release before starts: the expiry of a payment about to be created, or a check. */
const presumed = ({ expiresAt }: PaymentInput): PaymentFacts => ({
  status: 'requires_payment',
  expiresAt,
  maturesAt: null,
  unfinished: expiresAt === null,
})

function writers({ workspace, payment }: PaymentInput, mailbox: Mailbox<PaymentFacts>) {
  const who = () => ({ workspace, payment, at: new Date().toISOString() })
  const isOver = () => !mailbox.facts.unfinished && nextOf(mailbox.facts) === null
  const learn = (state: Awaited<ReturnType<PaymentActivities['processPayment']>> | null) => {
    if (state === null) return
    const { found, status, expiresAt, maturesAt = null, unfinished = false } = state
    mailbox.learn({ status: found ? status : 'missing', expiresAt, maturesAt, unfinished })
  }
  return {
    process: async () => learn(await write(({ processPayment }) => processPayment(who()), isOver)),
    expire: async () => learn(await write(({ expirePayment }) => expirePayment(who()), isOver)),
  }
}

function ending({ payment }: PaymentInput, { status }: PaymentFacts): PaymentEnding {
  const summary =
    status === 'missing'
      ? 'There is no such payment: its request was refused or never finished, or the database was restored to a time before it.'
      : status === null
        ? 'Everything that follows is done.'
        : `Payment is ${status}; everything that follows from its events is done.`
  setCurrentDetails(summary)
  return { payment, status, story: summary }
}
