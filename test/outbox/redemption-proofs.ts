import { newId } from '../../domain/ids.ts'
import type { Shop } from '../api/shop.ts'
import { attach } from '../support/attach.ts'
import type { Proof } from './proof.ts'

type Tools = {
  post(path: string, body?: object): Promise<{ id: string }>
  redeem(account: string, reward?: string): Promise<string>
  member(): Promise<string>
  credit(account: string, amount: number): Promise<unknown>
  written(workflow: string, row: object): Promise<void>
}

/** Of redemptions and what is to be shipped: begun once, and signalled the end. */
export function redemptionProofs(
  shop: Shop,
  { post, redeem, member, credit, written }: Tools,
): Proof[] {
  const { workspace } = shop
  const redeemed = async (reward?: string) => {
    const account = await member()
    await credit(account, 1_000)
    return redeem(account, reward)
  }
  const verb = (id: string, name: string, body: object = {}) =>
    post(`/v1/loyalty/redemptions/${id}/${name}`, body)
  const ends = (
    title: string,
    of: string[],
    type: string,
    end: (id: string) => Promise<unknown>,
  ) => ({
    of: [...of, 'redemption_outbox'],
    title,
    prove: async () => {
      const id = await redeemed(type === 'redemption' ? 'rwd_fivecredit' : 'rwd_totebag')
      await end(id)
      await written(id, { type, change: 'ended' })
    },
  })
  const asked = (redemption: string) => ({
    workspace,
    redemption,
    operation: newId('op'),
    fingerprint: 'test',
    at: new Date().toISOString(),
  })

  return [
    {
      of: ['redemption_insert'],
      title: 'a redemption that waits begins its run',
      prove: async () => {
        const id = await redeemed()
        await written(id, { type: 'redemption', change: 'new' })
      },
    },
    ends('a canceled one is signalled', ['redemption_release'], 'redemption', (id) =>
      verb(id, 'cancel'),
    ),
    ends('one that a till confirms is signalled', ['redemption_confirm'], 'redemption', (id) =>
      shop.commands.confirmRedemption(asked(id)),
    ),
    ends('a reversed one is signalled', ['redemption_reverse'], 'redemption', (id) =>
      verb(id, 'reverse', { reason: 'test' }),
    ),
    ends(
      'one whose reversal is refused, and whose payment had completed, is signalled that it is applied',
      ['redemption_reverse'],
      'redemption',
      async (id) => {
        await attach(shop, id, 'completed')
        await shop.commands.reverseRedemption({ ...asked(id), points: 501, reason: 'test' })
      },
    ),
    ends(
      'one whose payment completed is signalled',
      ['redemption_apply'],
      'redemption',
      async (id) => {
        const payment = await attach(shop, id, 'completed')
        await shop.commands.applyRedemption({ ...asked(id), payment })
      },
    ),
    ends('a shipped one is signalled', ['fulfillment_ship'], 'fulfillment', (id) =>
      verb(id, 'fulfill'),
    ),
    ends('one that is given up is signalled', ['fulfillment_give_up'], 'fulfillment', (id) =>
      shop.commands.cancelFulfillment({ ...asked(id), reason: 'test' }),
    ),
  ]
}
