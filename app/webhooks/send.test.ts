import { lookup } from 'node:dns/promises'
import { expect, test } from 'vitest'
import { openReceiver } from '../../test/webhooks/receiver.ts'
import { addressGuard, createSend } from './send.ts'

const publicOnly = addressGuard([])

test.each([
  '127.0.0.1',
  '10.1.2.3',
  '172.31.255.255',
  '192.168.0.1',
  '169.254.169.254',
  '100.64.0.1',
  '0.0.0.0',
  '224.0.0.1',
  '255.255.255.255',
  '::1',
  '::',
  'fe80::1',
  'fd00::1',
  '::ffff:127.0.0.1',
  '::ffff:a9fe:a9fe',
  '64:ff9b::7f00:1',
  '2002:7f00:1::',
  '2001:db8::1',
  'ff02::1',
  'localhost',
  '',
])('%s is never reached', (address) => expect(publicOnly(address)).toBe(false))

test.each(['1.1.1.1', '172.32.0.1', '192.167.255.255', '2606:4700::1111', '::ffff:8.8.8.8'])(
  '%s is public',
  (address) => expect(publicOnly(address)).toBe(true),
)

test('the configuration lets addresses and blocks through, and refuses what is neither', () => {
  const guard = addressGuard(['10.0.0.0/8', '::1'])
  expect([guard('10.9.9.9'), guard('::1'), guard('192.168.0.1')]).toEqual([true, true, false])
  expect(() => addressGuard(['localhost'])).toThrow('no address or block')
})

test('a name is judged by what it resolves to at connect time, so that nothing is sent', async () => {
  const receiver = await openReceiver()
  const send = createSend(publicOnly)
  await expect(lookup('localhost')).resolves.toBeDefined()
  for (const host of ['localhost', '127.0.0.1', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]']) {
    await expect(send(`http://${host}:${receiver.port}/`, {}, '{}')).rejects.toThrow(
      'is not a public address',
    )
  }
  expect(receiver.received).toEqual([])
  send.close()
  await receiver.close()
})

test('a redirect is not followed, and a long answer is cut', async () => {
  const inner = await openReceiver()
  const outer = await openReceiver(() => ({
    status: 307,
    headers: { location: inner.url },
    body: 'x'.repeat(1_000_000),
  }))
  const send = createSend(addressGuard(['127.0.0.1']))
  const answer = await send(outer.url, {}, '{}')
  expect([answer.status, answer.body.length]).toEqual([307, 2_048])
  expect(inner.received).toEqual([])
  send.close()
  await Promise.all([inner.close(), outer.close()])
})
