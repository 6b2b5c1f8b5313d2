import type { IncomingMessage, Server } from 'node:http'
import { BlockList, isIPv6 } from 'node:net'

type Place = { readonly host: string; readonly port: number; readonly backlog?: number }

/** Resolves once the server listens; rejects where it cannot. */
export function listening(server: Server, { host, port, backlog }: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, ...(backlog === undefined ? {} : { backlog }) }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8)
LOOPBACK.addAddress('::1', 'ipv6')

const HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i

/** What proxies add to a request that they pass on. */
const FORWARDED = /^(forwarded|via|true-client-ip|cf-connecting-ip|x-real-ip|x-forwarded(-.*)?)$/

/**
 * Whether a Host header names this machine by a loopback address or as localhost. A web page whose
 * name was made to resolve to 127.0.0.1 sends its own name there, and no browser lets it send another.
 */
export function isLoopbackHost(host: string | undefined): boolean {
  return host !== undefined && HOST.test(host)
}

/** Whether a request comes from a process on this machine, for itself: not by a proxy, nor from a web page. */
export function isLocal({ socket, headers }: IncomingMessage): boolean {
  const peer = socket.remoteAddress
  if (peer === undefined || !LOOPBACK.check(peer, isIPv6(peer) ? 'ipv6' : 'ipv4')) return false
  return isLoopbackHost(headers.host) && !Object.keys(headers).some((name) => FORWARDED.test(name))
}
