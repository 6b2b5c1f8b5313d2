import { newId } from '../../domain/ids.ts'
import { type Person, person } from '../api/people.ts'
import type { Shop } from '../api/shop.ts'
import type { Proof } from './proof.ts'

type Tools = {
  post(path: string, body?: object): Promise<{ id: string }>
  member(): Promise<string>
  credit(account: string, amount: number, more?: object): Promise<unknown>
  forget(): Promise<unknown>
  written(workflow: string, row: object): Promise<void>
}

/** Of what waits for another person's yes, and of a member's erasure. */
export async function approvalProofs(
  shop: Shop,
  { post, member, credit, forget, written }: Tools,
): Promise<Proof[]> {
  const owner = await person(shop, 'owner')
  const marketing = await person(shop, 'marketing')
  const asked = async (sent: ReturnType<Person['send']>): Promise<string> => {
    const { status, body } = await sent
    if (status !== 202) throw new Error(JSON.stringify(body))
    return body.id
  }
  const settled = async (id: string, verb: string): Promise<string> => {
    const { status, body } = await owner.send('post', `/v1/approvals/${id}/${verb}`, {})
    if (status !== 200) throw new Error(JSON.stringify(body))
    return body.result
  }
  const adjustment = async () => {
    const movement = { account: await member(), amount: 20_001, reason: 'test' }
    return asked(marketing.send('post', '/v1/loyalty/transactions', movement))
  }
  const waiting = { type: 'approval' }

  return [
    {
      of: ['approval_request', 'approval_outbox'],
      title: 'what needs a yes begins the run that waits for it',
      prove: async () => written(await adjustment(), { ...waiting, change: 'new' }),
    },
    {
      of: ['approval_settled', 'approval_outbox'],
      title: 'a no ends the run',
      prove: async () => {
        const id = await adjustment()
        await forget()
        await settled(id, 'decline')
        await written(id, { ...waiting, change: 'ended' })
      },
    },
    {
      of: ['approval_advance', 'approval_outbox'],
      title: 'an approval whose run was lost has one again',
      prove: async () => {
        const id = await adjustment()
        await forget()
        const args = [shop.workspace, id]
        await shop.owner.query('select ledger.approval_advance($1, $2, now(), true)', args)
        await written(id, { ...waiting, change: 'changed' })
      },
    },
    {
      of: ['approval_import', 'bulk_outbox'],
      title: 'an import begins its run with the yes',
      prove: async () => {
        const account = await member()
        const row = (_: unknown, line: number) =>
          JSON.stringify({ account, amount: 1, key: `${line}` })
        const file = Array.from({ length: 1_001 }, row).join('\n')
        const id = await asked(
          marketing
            .send('post', '/v1/loyalty/imports')
            .set('Idempotency-Key', newId('op'))
            .type('application/x-ndjson')
            .send(file),
        )
        await forget()
        await written(await settled(id, 'approve'), { type: 'bulkRun' })
      },
    },
    {
      of: ['approval_reverse_batch', 'bulk_outbox'],
      title: 'a batch’s reversal begins its run with the yes',
      prove: async () => {
        const batch = newId('op')
        await credit(await member(), 10, { metadata: { batch } })
        const path = `/v1/loyalty/batches/${batch}/reverse`
        const id = await asked(marketing.send('post', path, {}))
        await written(await settled(id, 'approve'), { type: 'bulkRun' })
      },
    },
    {
      of: ['erasure_signal'],
      title: 'an erasure begins its run',
      prove: async () => {
        const account = await member()
        await post(`/v1/loyalty/accounts/${account}/erase`)
        await written(`erasure/${shop.workspace}/${account}`, { type: 'erasure', change: 'new' })
      },
    },
  ]
}
