type Stop = () => Promise<void>
type StartedServer = { value: unknown; stop: Stop }
type SharedServer = { started: Promise<StartedServer>; users: number }

// Each project loads its set-ups for itself, so what they share is kept by the process.
const KEY = Symbol.for('vinr.test.shared')
const kept = globalThis as { [KEY]?: Map<string, SharedServer> }
kept[KEY] ??= new Map()
const shares = kept[KEY]

/** What the first project that asks for it starts, every other uses, and the last one stops. */
export async function shared<T>(
  name: string,
  start: () => Promise<{ value: T; stop: Stop }>,
): Promise<{ value: T; release: Stop }> {
  const share = shares.get(name) ?? { started: start(), users: 0 }
  shares.set(name, share)
  share.users++
  const { value, stop } = await share.started
  const release = async () => {
    if (--share.users > 0) return
    shares.delete(name)
    await stop()
  }
  return { value: value as T, release }
}
