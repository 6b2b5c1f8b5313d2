import { expect } from 'vitest'
import { newId } from '../../../domain/ids.ts'
import type { FulfillmentInput, RedemptionInput } from '../../../workflows/inputs.ts'
import type { Shop } from '../../api/shop.ts'
import { redeem } from '../../support/redeem.ts'
import { redeemItem } from '../../support/redeem-item.ts'

export const REDEMPTIONS = '/v1/loyalty/redemptions'
export const OPENING = 1_000
export const CARD = '4242424242424242'

/** What the caller was answered, or what became of the redemption. */
export type Outcome = { answer: string; error: Record<string, unknown> }

/** One failure, made to happen to a member of its own who has OPENING points. */
export type Case = (at: Scene) => Promise<Outcome>

type Answer = { status: number; body: { error?: { code: string } } }

export class Scene {
  readonly shop: Shop
  readonly member: string

  constructor(shop: Shop, member: string) {
    this.shop = shop
    this.member = member
  }

  /** A reward of 500 points, with what it is given by its columns. */
  async reward(more: Record<string, unknown> = {}): Promise<string> {
    const value = { amount: 500, currency: 'EUR' }
    const row = { cost: 500, type: 'discount_amount', value, ...more }
    const columns = Object.keys(row)
    const id = newId('rwd')
    await this.shop.owner.query(
      `insert into reward (workspace, id, program, name, ${columns.join(', ')})
       values ($1, $2, 'prog_default', 'Reward', ${columns.map((_, n) => `$${n + 3}`).join(', ')})`,
      [this.shop.workspace, id, ...Object.values(row)],
    )
    return id
  }

  item(more: Record<string, unknown> = {}): Promise<string> {
    return this.reward({ type: 'free_product', value: { product: 'Mug', quantity: 1 }, ...more })
  }

  redeem(reward: string, options: { idempotencyKey?: string; account?: string } = {}) {
    const { account = this.member, idempotencyKey } = options
    return this.shop.post(REDEMPTIONS, { account, reward }, { idempotencyKey })
  }

  /** As the API redeems a discount, with another hold or without its run. */
  async held(more: { start?: boolean; holdMs?: number } = {}): Promise<RedemptionInput> {
    return redeem(this.shop, { account: this.member, reward: await this.reward(), ...more })
  }

  async waiting(reward: string, deadlineMs?: number): Promise<FulfillmentInput> {
    return redeemItem(this.shop, { account: this.member, reward, deadlineMs })
  }

  pay(redemption: string, more: Record<string, unknown> = {}) {
    const body = { amount: 2_999, currency: 'EUR', discounts: [{ redemption }], ...more }
    return this.shop.post('/v1/payments', body)
  }

  async applied(): Promise<{ id: string; payment: string }> {
    const { redemption } = await this.held()
    const payment = await this.pay(redemption, { card: CARD })
    await this.status(redemption, 'applied')
    return { id: redemption, payment: payment.body.id }
  }

  ask(id: string, verb: string, body: object = {}) {
    return this.shop.post(`${REDEMPTIONS}/${id}/${verb}`, body)
  }

  /** Waits until the redemption has this field. */
  async field(id: string, name: string): Promise<Outcome> {
    const now = async () => (await this.shop.get(`${REDEMPTIONS}/${id}`)).body
    await expect.poll(async () => name in (await now()), { timeout: 20_000 }).toBe(true)
    const body = await now()
    return { answer: body.status, error: body }
  }

  /** Waits until the redemption has this status. */
  async status(id: string, wanted: string): Promise<Outcome> {
    const now = async () => (await this.shop.get(`${REDEMPTIONS}/${id}`)).body
    await expect.poll(async () => (await now()).status, { timeout: 20_000 }).toBe(wanted)
    return { answer: wanted, error: await now() }
  }
}

export function outcomeOf({ status, body }: Answer): Outcome {
  const code = body.error?.code
  return {
    answer: code === undefined ? `${status}` : `${status} ${code}`,
    error: body.error ?? {},
  }
}

/** Of several answers, the one that is a refusal. */
export function refused(answers: Answer[]): Outcome {
  const [no, ...more] = answers.filter(({ status }) => status >= 400)
  if (no === undefined || more.length > 0) throw new Error(`${more.length + (no ? 1 : 0)} refusals`)
  return outcomeOf(no)
}
