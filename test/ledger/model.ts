/** A small model of lots: what the ledger must agree with, whatever happens in whatever order. */
export type ModelLot = { points: number; remaining: number; dueMs: number | null }
export type ModelDebit = { points: number; from: Map<number, number>; unfunded: number }

export class ModelAccount {
  lots: ModelLot[] = []
  debits: ModelDebit[] = []

  get balance(): number {
    return (
      sum(this.lots.map((lot) => lot.remaining)) - sum(this.debits.map((debit) => debit.unfunded))
    )
  }

  credit(points: number, dueMs: number | null): void {
    this.lots.push({ points, remaining: points, dueMs })
    this.fill(this.lots.length - 1)
  }

  /** False where it would overdraw and may not. */
  debit(points: number, mayOverdraw: boolean): boolean {
    if (!mayOverdraw && this.balance < points) return false
    const debit: ModelDebit = { points, from: new Map(), unfunded: points }
    this.debits.push(debit)
    this.lots.forEach((lot, index) => {
      take(lot, index, debit)
    })
    return true
  }

  /** Gives back points of a debit: first what no lot funded, then to its lots, last taken first. */
  giveBack(index: number, points: number, nowMs: number): void {
    const debit = at(this.debits, index)
    const unfunded = Math.min(debit.unfunded, points)
    debit.unfunded -= unfunded
    debit.points -= points
    let rest = points - unfunded
    for (const lotIndex of [...debit.from.keys()].sort((a, b) => b - a)) {
      const taken = debit.from.get(lotIndex) ?? 0
      const back = Math.min(taken, rest)
      if (back === 0) continue
      rest -= back
      debit.from.set(lotIndex, taken - back)
      at(this.lots, lotIndex).remaining += back
      this.fill(lotIndex)
    }
    this.expire(nowMs)
  }

  expire(nowMs: number): void {
    for (const lot of this.lots) if (lot.dueMs !== null && lot.dueMs <= nowMs) lot.remaining = 0
  }

  private fill(lotIndex: number): void {
    for (const debit of this.debits) take(at(this.lots, lotIndex), lotIndex, debit)
  }
}

function take(lot: ModelLot, index: number, debit: ModelDebit): void {
  const taken = Math.min(lot.remaining, debit.unfunded)
  if (taken === 0) return
  lot.remaining -= taken
  debit.unfunded -= taken
  debit.from.set(index, (debit.from.get(index) ?? 0) + taken)
}

const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0)

function at<T>(items: T[], index: number): T {
  const item = items[index]
  if (item === undefined) throw new Error(`nothing at ${index}`)
  return item
}
