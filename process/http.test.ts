import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { isLocal, isLoopbackHost } from './http.ts'

function requestFrom(peer: string | undefined, headers: Record<string, string>) {
  const socket = new Socket()
  Object.defineProperty(socket, 'remoteAddress', { value: peer })
  return Object.assign(new IncomingMessage(socket), { headers })
}
const HOST = { host: '127.0.0.1:3000' }

test.each(['127.0.0.1', '127.8.0.9', '::1', '::ffff:127.0.0.1'])('%s is local', (peer) => {
  expect(isLocal(requestFrom(peer, HOST))).toBe(true)
})

test.each(['10.0.0.7', '192.0.2.1', '::ffff:10.0.0.7', 'fe80::1', '2001:db8::1', undefined])(
  '%s is not local',
  (peer) => {
    expect(isLocal(requestFrom(peer, HOST))).toBe(false)
  },
)

test.each(['x-forwarded-for', 'x-forwarded-proto', 'forwarded', 'via', 'x-real-ip'])(
  'a request with %s came by a proxy, and is not local',
  (name) => {
    expect(isLocal(requestFrom('127.0.0.1', { ...HOST, [name]: '127.0.0.1' }))).toBe(false)
  },
)

test.each(['localhost', 'LocalHost:8233', '127.0.0.1:80', '127.1.2.3', '[::1]:9'])(
  'the host %s is this machine',
  (host) => expect(isLoopbackHost(host)).toBe(true),
)

test.each([
  'evil.example',
  'localhost.evil.example:8233',
  '127.0.0.1.evil.example',
  'evil.example@127.0.0.1',
  '10.0.0.7',
  '',
  undefined,
])('the host %s is not', (host) => expect(isLoopbackHost(host)).toBe(false))
