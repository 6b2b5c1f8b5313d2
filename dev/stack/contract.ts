import { rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Progress } from '../progress.ts'
import { readState, writeState } from '../state-file.ts'

/** What the demo data answers: the keys and the ids that the README's commands use. */
export type Demo = {
  apiKey: string
  publishableKey: string
  otherWorkspaceApiKey: string
  paymentWebhookSecret: string
  program: string
  account: string
  rewards: { fiveOff: string; toteBag: string }
}

export type DemoKeys = Pick<
  Demo,
  'apiKey' | 'publishableKey' | 'otherWorkspaceApiKey' | 'paymentWebhookSecret'
>

const CONTRACT = 'stack.json'
const KEYS = 'demo-keys.json'

/** Takes away the word that a stack is ready, before one starts and when it stops. */
export function withdrawContract(dataDir: string) {
  rmSync(join(dataDir, CONTRACT), { force: true })
}

/** Writes stack.json, whose presence says that the stack is ready, and prints the addresses. */
export function publishContract(
  dataDir: string,
  urls: { apiUrl: string; temporalUi: string },
  demo: Demo,
  progress: Progress,
) {
  const file = join(dataDir, CONTRACT)
  writeState(file, { ...urls, ...demo })
  progress.line('Ready')
  const lines = [
    ['API', urls.apiUrl],
    ['API docs', `${urls.apiUrl}/docs`],
    ['Temporal UI', urls.temporalUi],
    ['API key', demo.apiKey],
    ['All of it', relative(process.cwd(), file)],
    ['Logs', relative(process.cwd(), join(dataDir, 'logs'))],
  ]
  const text = lines.map(([name = '', value]) => `  ${name.padEnd(12)} ${value}`).join('\n')
  process.stdout.write(`\n${text}\n\nCtrl-C stops everything. The state stays in ${dataDir}.\n\n`)
}

/** The keys of an earlier start: they are stored as hashes, so only this file can tell them. */
export function readDemoKeys(dataDir: string): DemoKeys | undefined {
  const state = readState(join(dataDir, KEYS))
  return isDemoKeys(state) ? state : undefined
}

export function keepDemoKeys(dataDir: string, demo: Demo) {
  const { apiKey, publishableKey, otherWorkspaceApiKey, paymentWebhookSecret } = demo
  const keys: DemoKeys = { apiKey, publishableKey, otherWorkspaceApiKey, paymentWebhookSecret }
  writeState(join(dataDir, KEYS), keys)
}

function isDemoKeys(value: unknown): value is DemoKeys {
  if (typeof value !== 'object' || value === null) return false
  const names = ['apiKey', 'publishableKey', 'otherWorkspaceApiKey', 'paymentWebhookSecret']
  return names.every((name) => typeof Reflect.get(value, name) === 'string')
}
