/** A small model of members whose accounts may be merged: what the ledger must agree with. */
export type ModelLot = {
  readonly points: number
  remaining: number
  expired: number
  readonly dueMs: number | null
}
export type ModelDebit = { points: number; unfunded: number; readonly from: Map<ModelLot, number> }

export class ModelMember {
  /** Oldest first, as they are spent. */
  lots: { lot: ModelLot; earnedMs: number }[] = []
  /** Oldest first, as a deficit is filled. */
  debits: { debit: ModelDebit; atMs: number }[] = []
  lifetime = 0
  closed = false

  get balance(): number {
    const left = this.lots.reduce((total, { lot }) => total + lot.remaining, 0)
    return this.debits.reduce((total, { debit }) => total - debit.unfunded, left)
  }

  credit(points: number, dueMs: number | null, atMs: number): ModelLot {
    const lot = { points, remaining: points, expired: 0, dueMs }
    this.lots.push({ lot, earnedMs: atMs })
    this.lifetime += points
    this.fund(lot)
    return lot
  }

  /**
   * A refund's share of what a payment earned: from that lot first, then from the oldest, then as a
   * deficit. What of that lot has expired is not taken from others.
   */
  clawBack(own: ModelLot, share: number, atMs: number): ModelDebit {
    const points = share - Math.min(share - Math.min(own.remaining, share), own.expired)
    const debit = { points, unfunded: points, from: new Map<ModelLot, number>() }
    this.debits.push({ debit, atMs })
    take(own, debit)
    for (const { lot } of this.lots) take(lot, debit)
    return debit
  }

  /** Undefined where it would overdraw and may not. */
  debit(points: number, mayOverdraw: boolean, atMs: number): ModelDebit | undefined {
    if (!mayOverdraw && this.balance < points) return undefined
    const debit = { points, unfunded: points, from: new Map<ModelLot, number>() }
    this.debits.push({ debit, atMs })
    for (const { lot } of this.lots) take(lot, debit)
    return debit
  }

  /** First what no lot funded, then to its lots, the youngest first. */
  giveBack(debit: ModelDebit, points: number, nowMs: number): void {
    const unfunded = Math.min(debit.unfunded, points)
    debit.unfunded -= unfunded
    debit.points -= points
    let rest = points - unfunded
    for (const { lot } of [...this.lots].reverse()) {
      const back = Math.min(debit.from.get(lot) ?? 0, rest)
      if (back === 0) continue
      rest -= back
      debit.from.set(lot, (debit.from.get(lot) ?? 0) - back)
      lot.remaining += back
      this.fund(lot)
    }
    this.expire(nowMs)
  }

  expire(nowMs: number): void {
    for (const { lot } of this.lots) {
      if (lot.dueMs === null || lot.dueMs > nowMs) continue
      lot.expired += lot.remaining
      lot.remaining = 0
    }
  }

  /** Takes in all that another one has. */
  absorb(other: ModelMember): void {
    this.lots = [...this.lots, ...other.lots].sort((a, b) => a.earnedMs - b.earnedMs)
    this.debits = [...this.debits, ...other.debits].sort((a, b) => a.atMs - b.atMs)
    this.lifetime += other.lifetime
    for (const { lot } of this.lots) this.fund(lot)
  }

  private fund(lot: ModelLot): void {
    for (const { debit } of this.debits) take(lot, debit)
  }
}

function take(lot: ModelLot, debit: ModelDebit): void {
  const taken = Math.min(lot.remaining, debit.unfunded)
  if (taken === 0) return
  lot.remaining -= taken
  debit.unfunded -= taken
  debit.from.set(lot, (debit.from.get(lot) ?? 0) + taken)
}
