import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { STACK_DATABASE, type StackDatabase } from '../../db/command-database.ts'
import type { Demo, DemoKeys } from '../demo.ts'
import type { Progress } from '../progress.ts'
import { readState, writeState } from '../state-file.ts'

const CONTRACT = 'stack.json'
const KEYS = 'demo-keys.json'
const CODE_KEY = 'gift-code-key.json'

/** Takes away the word that a stack is ready, before one starts and when it stops. */
export function withdrawContract(dataDir: string) {
  for (const name of [CONTRACT, STACK_DATABASE]) rmSync(join(dataDir, name), { force: true })
}

/** Writes stack.json, whose presence says that the stack is ready, and prints the addresses. */
export function publishContract(
  dataDir: string,
  urls: { apiUrl: string; temporalUi: string },
  demo: Demo,
  database: StackDatabase,
  progress: Progress,
) {
  writeState(join(dataDir, STACK_DATABASE), database)
  const file = join(dataDir, CONTRACT)
  const { paymentEndpoint, ...rest } = demo
  const paymentWebhookUrl = `${urls.apiUrl}/v1/webhooks/payments/sandbox/${paymentEndpoint}`
  writeState(file, { ...urls, ...rest, paymentWebhookUrl })
  progress.line('Ready')
  const lines = [
    ['API', urls.apiUrl],
    ['API docs', `${urls.apiUrl}/docs`],
    ['Temporal UI', urls.temporalUi],
    ['API key', demo.apiKey],
    ['Workspace', database.workspace],
    ['All of it', shown(file)],
    ['Logs', shown(join(dataDir, 'logs'))],
  ]
  const text = lines.map(([name = '', value]) => `  ${name.padEnd(12)} ${value}`).join('\n')
  process.stdout.write(`\n${text}\n\nCtrl-C stops everything. The state stays in ${dataDir}.\n\n`)
}

/** As short as it can be typed from here. */
function shown(path: string): string {
  const short = relative(process.cwd(), path)
  return short.startsWith('..') ? path : short
}

/** The keys of an earlier start: they are stored as hashes, so only this file can tell them. */
export function readDemoKeys(dataDir: string): DemoKeys | undefined {
  const state = readState(join(dataDir, KEYS))
  return isDemoKeys(state) ? state : undefined
}

export function keepDemoKeys(dataDir: string, keys: DemoKeys) {
  writeState(join(dataDir, KEYS), keys)
}

/** The key that seals this stack's gift card codes, made at its first start: without it they cannot be opened. */
export function giftCodeKey(dataDir: string): string {
  const file = join(dataDir, CODE_KEY)
  const state = readState(file)
  const kept: unknown =
    typeof state === 'object' && state !== null ? Reflect.get(state, 'GIFT_CODE_KEYS') : undefined
  if (typeof kept === 'string') return kept
  const made = `stack:${randomBytes(32).toString('base64')}`
  writeState(file, { GIFT_CODE_KEYS: made })
  return made
}

function isDemoKeys(value: unknown): value is DemoKeys {
  if (typeof value !== 'object' || value === null) return false
  const names = ['apiKey', 'publishableKey', 'otherWorkspaceApiKey', 'paymentWebhookSecret']
  return names.every((name) => typeof Reflect.get(value, name) === 'string')
}
