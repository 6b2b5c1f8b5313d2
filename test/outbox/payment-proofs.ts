import { newId } from '../../domain/ids.ts'
import type { Shop } from '../api/shop.ts'
import { COMPLETES, eventOf } from '../earning/earn.ts'
import type { Proof } from './proof.ts'

type Tools = {
  post(path: string, body?: object): Promise<{ id: string }>
  member(more?: object): Promise<string>
  redeem(account: string): Promise<string>
  credit(account: string, amount: number): Promise<unknown>
  program(): Promise<string>
  forget(): Promise<unknown>
  written(workflow: string, row: object): Promise<void>
}

const STAYS_OPEN = '4000000000003220'
const AMOUNT = { amount: 2_999, currency: 'eur' }

/** Of payments and what earns: a run waits for what is to come, a redemption hears of its payment's end. */
export function paymentProofs(
  shop: Shop,
  { post, member, redeem, credit, program, forget, written }: Tools,
): Proof[] {
  const runOf = (source: string) => `${shop.workspace}/${source}`
  const pay = async (more: object = {}): Promise<string> =>
    (await post('/v1/payments', { ...AMOUNT, card: COMPLETES, ...more })).id
  const waits = { type: 'payment', change: 'changed' }
  /** A program whose members wait a day for what they earn. */
  const slowProgram = async (more: object = {}): Promise<string> => {
    const id = await program()
    const rule = { program: id, award: { fixed: 5 }, pendingDays: 1, ...more }
    await post('/v1/loyalty/earning_rules', rule)
    return id
  }
  const signal = async (type: string, data: object) => {
    const { status } = await shop.webhook(eventOf(type, data))
    if (status !== 200) throw new Error(`${type}: ${status}`)
  }
  const customer = () => `cust_${newId('op').slice(3)}`

  return [
    {
      of: ['payment_changed', 'payment_outbox', 'source_outbox'],
      title: 'an open payment begins the run that expires it',
      prove: async () => {
        const id = await pay({ card: STAYS_OPEN })
        await written(runOf(id), { type: 'payment', change: 'new' })
      },
    },
    {
      of: ['payment_redemptions_follow'],
      title: 'a redemption’s run hears that its payment has completed',
      prove: async () => {
        const account = await member()
        await credit(account, 1_000)
        const redemption = await redeem(account)
        await pay({ redemptions: [redemption] })
        await written(redemption, { type: 'redemption', change: 'ended' })
      },
    },
    {
      of: ['earning_for_new_account'],
      title: 'a welcome that matures later begins a run',
      prove: async () => {
        const slow = await slowProgram({ trigger: 'loyalty.account.created' })
        await written(runOf(await member({ program: slow })), waits)
      },
    },
    {
      of: ['payment_replay_award'],
      title: 'an award that is made again and matures later begins its payment’s run',
      prove: async () => {
        const buyer = customer()
        const id = await pay({ customer: buyer })
        await member({ program: await slowProgram(), customer: buyer })
        await forget()
        await post(`/v1/payments/${id}/replay_award`)
        await written(runOf(id), waits)
      },
    },
    {
      of: ['earning_of_event'],
      title: 'a payment that earns by its invoice’s member, later, begins its run',
      prove: async () => {
        const [buyer, payment, invoice] = [customer(), newId('pay'), newId('op')]
        await member({ program: await slowProgram(), customer: buyer })
        const paid = { ...AMOUNT, id: payment, amount_charged: AMOUNT.amount, invoice }
        await signal('payment.completed', paid)
        await forget()
        await signal('invoice.paid', { ...AMOUNT, id: invoice, customer: buyer })
        await written(runOf(payment), waits)
      },
    },
  ]
}
