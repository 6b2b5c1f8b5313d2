import { expect } from 'vitest'
import type { Shop } from '../api/shop.ts'
import { approvalProofs } from './approval-proofs.ts'
import { paymentProofs } from './payment-proofs.ts'
import type { Proof } from './proof.ts'
import { redemptionProofs } from './redemption-proofs.ts'

const DAY_MS = 86_400_000
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString()
const OTHER_TIERS = [{ name: 'Only', rank: 0, threshold: 0 }]
const TIERS = [
  { name: 'Bronze', rank: 0, threshold: 0 },
  { name: 'Silver', rank: 1, threshold: 500 },
]

/** Keeps what is written to the outbox, which is sent and deleted behind it. */
async function keepWrites({ owner }: Shop) {
  await owner.query(`
    create table outbox_seen (workflow text, type text, change text, facts jsonb);
    create function outbox_see() returns trigger language plpgsql security definer as $$
    begin
      insert into public.outbox_seen values (new.workflow_id, new.workflow_type, new.change, new.facts);
      return null;
    end $$;
    create trigger outbox_seen after insert on workflow_outbox for each row execute function outbox_see();
    create trigger outbox_seen_again after update of revision on workflow_outbox for each row
      execute function outbox_see();
  `)
}

export async function proofsIn(shop: Shop): Promise<Proof[]> {
  await keepWrites(shop)
  const { owner, workspace } = shop
  const post = async (path: string, body: object = {}) => {
    const answer = await shop.post(path, body)
    if (answer.status >= 300) throw new Error(`${path}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const member = async (more: object = {}): Promise<string> =>
    (await post('/v1/loyalty/accounts', { program: 'prog_default', ...more })).id
  const credit = (account: string, amount: number, more: object = {}) =>
    post('/v1/loyalty/transactions', { account, amount, reason: 'test', ...more })
  const redeem = async (account: string, reward = 'rwd_fivecredit'): Promise<string> =>
    (await post('/v1/loyalty/redemptions', { account, reward })).id
  const forget = () => owner.query('delete from outbox_seen')
  const written = async (workflow: string, row: object) => {
    const { rows } = await owner.query(
      'select type, change, facts from outbox_seen where workflow = $1',
      [workflow],
    )
    expect(rows).toContainEqual(expect.objectContaining(row))
  }
  const expiryOf = (account: string) => `expiry/${workspace}/${account}`
  const program = async (more: object = {}): Promise<string> =>
    (await post('/v1/loyalty/programs', { name: 'Tiers', ...more })).id
  const tierProgram = () =>
    program({ tierConfig: { period: { type: 'rolling', months: 12 }, tiers: TIERS } })

  return [
    ...paymentProofs(shop, { post, member, redeem, credit, program, forget, written }),
    ...redemptionProofs(shop, { post, redeem, member, credit, written }),
    ...(await approvalProofs(shop, { post, member, credit, forget, written })),
    {
      of: ['points_credit', 'expiry_check_outbox'],
      title: 'points that expire begin their account’s run',
      prove: async () => {
        const account = await member()
        await credit(account, 10, { expires_at: inDays(30) })
        await written(expiryOf(account), { type: 'accountExpiry', change: 'new' })
      },
    },
    {
      of: ['expiry_check_earlier'],
      title: 'points that come back with an earlier date bring their account’s run forward',
      prove: async () => {
        const account = await member()
        await credit(account, 500, { expires_at: inDays(10) })
        await credit(account, 500, { expires_at: inDays(20) })
        const redemption = await redeem(account)
        await owner.query('select ledger.account_expire($1, $2, now())', [workspace, account])
        await forget()
        await post(`/v1/loyalty/redemptions/${redemption}/cancel`)
        await written(expiryOf(account), { type: 'accountExpiry', change: 'changed' })
      },
    },
    {
      of: ['account_expire'],
      title: 'a run of an account’s expiry that was lost begins again',
      prove: async () => {
        const account = await member()
        await credit(account, 10, { expires_at: inDays(30) })
        await forget()
        await owner.query('select ledger.account_expire($1, $2, now(), true)', [workspace, account])
        await written(expiryOf(account), { type: 'accountExpiry' })
      },
    },
    {
      of: ['account_merge_into', 'account_merge'],
      title: 'a merge brings the survivor’s run forward',
      prove: async () => {
        const [source, target] = [await member(), await member()]
        await credit(source, 10, { expires_at: inDays(30) })
        await post('/v1/loyalty/accounts/merge', { source, target })
        await written(expiryOf(target), { type: 'accountExpiry' })
      },
    },
    {
      of: ['tier_write', 'tier_review_outbox'],
      title: 'a promotion that can lapse begins its review',
      prove: async () => {
        const account = await member({ program: await tierProgram() })
        await credit(account, 500)
        await written(`${workspace}/${account}/tier`, { type: 'tierReview', change: 'new' })
      },
    },
    {
      of: ['tier_review'],
      title: 'a review whose run was lost begins again',
      prove: async () => {
        const account = await member({ program: await tierProgram() })
        await credit(account, 500)
        await forget()
        await owner.query('select ledger.tier_review($1, $2, now(), true)', [workspace, account])
        await written(`${workspace}/${account}/tier`, { type: 'tierReview' })
      },
    },
    {
      of: ['fulfillment_resume'],
      title: 'an item whose run was lost has one again',
      prove: async () => {
        const account = await member()
        await credit(account, 5_000)
        const redemption = await redeem(account, 'rwd_totebag')
        await forget()
        await owner.query('select ledger.fulfillment_resume($1, $2)', [workspace, redemption])
        await written(redemption, { type: 'fulfillment', change: 'changed' })
      },
    },
    {
      of: ['tier_reassess_start', 'tier_reassess_outbox'],
      title: 'other tiers begin a walk over the program’s members',
      prove: async () => {
        const id = await tierProgram()
        await forget()
        await shop.patch(`/v1/loyalty/programs/${id}`, { tierConfig: { tiers: OTHER_TIERS } })
        await written(`${workspace}/${id}/tiers`, { type: 'tierReassessment' })
      },
    },
    {
      of: ['bulk_outbox'],
      title: 'a batch’s reversal begins its run',
      prove: async () => {
        const batch = `batch-${Math.random()}`
        await credit(await member(), 10, { metadata: { batch } })
        const { id } = await post(`/v1/loyalty/batches/${batch}/reverse`)
        await written(id, { type: 'bulkRun' })
      },
    },
  ]
}
