import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { z } from 'zod'

const CONFIG = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [
    (name = "worker", esModule = embed "workerd.mjs"),
    (name = "check.mjs", esModule = embed "check.mjs"),
    (name = "sdk/dist/index.js", esModule = embed "sdk/dist/index.js"),
  ],
  compatibilityDate = "2025-09-01",
);
`
const Listening = z.object({ event: z.literal('listen'), port: z.number() })

/** Sends the settings to `workerd.mjs` of this folder inside workerd, and returns what it answered. */
export async function runInWorkerd(
  program: string,
  folder: string,
  settings: string,
): Promise<string> {
  await writeFile(join(folder, 'config.capnp'), CONFIG)
  const child = spawn(program, ['serve', '--control-fd=3', join(folder, 'config.capnp')], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  })
  try {
    const { port } = Listening.parse(JSON.parse(await firstLine(child.stdio[3] as Readable)))
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: settings })
    return await response.text()
  } finally {
    child.kill()
  }
}

async function firstLine(stream: Readable): Promise<string> {
  let text = ''
  for await (const chunk of stream) {
    text += String(chunk)
    if (text.includes('\n')) return text
  }
  throw new Error('workerd ended before it listened')
}
