import { median } from './load.ts'
import type { Machine } from './machine.ts'
import type { ContenderResult } from './results.ts'
import type { Settings } from './rounds.ts'

/** What one task costs now, to what it cost before: the ratios of the rounds, 1 where nothing changed. */
interface Comparison {
  title: string
  /** CPU milliseconds a task, medians. */
  beforeMs: number
  nowMs: number
  median: number
  /** Between these the true median lies in 95 of 100 runs, or more: two of the rounds' own ratios. */
  interval: [number, number]
  ratios: number[]
}

export interface BeforeResult {
  date: string
  machine: Machine
  /** Seven digits and subject. */
  commit: string
  settings: Settings
  suites: Comparison[]
}

/** Of two contenders, the earlier code first. */
export function compare(title: string, [before, now]: ContenderResult[]): Comparison {
  const costs = (result: ContenderResult | undefined) =>
    (result?.rounds ?? []).map(({ samples }) => samples[0]?.cpuMs ?? Number.NaN)
  const [earlier, present] = [costs(before), costs(now)]
  const ratios = present.map((ms, round) => ms / (earlier[round] ?? Number.NaN))
  return {
    title,
    beforeMs: median(earlier),
    nowMs: median(present),
    median: median(ratios),
    interval: intervalOf(ratios),
    ratios,
  }
}

/**
 * The interval of the median by order statistics: whatever the ratios' distribution, each lies on either side
 * of the true median as a coin falls. The smallest interval with a confidence of 95%; of few, all of them.
 */
function intervalOf(ratios: number[]): [number, number] {
  const sorted = [...ratios].sort((a, b) => a - b)
  const count = sorted.length
  const tails = (left: number) => {
    let ways = 1
    let sum = 0
    for (let heads = 0; heads < left; heads++) {
      sum += ways
      ways = (ways * (count - heads)) / (heads + 1)
    }
    return (2 * sum) / 2 ** count
  }
  let left = 1
  while (left * 2 < count && tails(left + 1) <= 0.05) left++
  return [sorted[left - 1] ?? Number.NaN, sorted[count - left] ?? Number.NaN]
}

export const describeComparison = ({ beforeMs, nowMs, median, interval }: Comparison): string =>
  `CPU a task: ${beforeMs.toFixed(2)} ms before, ${nowMs.toFixed(2)} ms now; ratio ${median.toFixed(3)} ` +
  `(${interval.map((end) => end.toFixed(3)).join(' to ')})`
