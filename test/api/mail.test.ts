import { createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { newEmail, PASSWORD, type Person, person, signIn } from './people.ts'
import { openShop, type Shop } from './shop.ts'

/** A mail server that takes everything and keeps it, or refuses each recipient. */
async function openMailServer() {
  const mails: string[] = []
  const state = { refuses: false }
  const serve = (socket: Socket) => {
    let data: string | undefined
    socket.write('220 test\r\n')
    let rest = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      rest += chunk
      for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
        const line = rest.slice(0, end)
        rest = rest.slice(end + 2)
        if (data !== undefined) {
          if (line !== '.') {
            data += `${line}\n`
            continue
          }
          mails.push(data)
          data = undefined
          socket.write('250 ok\r\n')
        } else if (/^DATA/i.test(line)) {
          data = ''
          socket.write('354 go on\r\n')
        } else if (/^RCPT/i.test(line) && state.refuses) socket.write('550 nobody\r\n')
        else socket.write('250 ok\r\n')
      }
    })
    socket.on('error', () => socket.destroy())
  }
  const server = createServer(serve).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return { mails, state, url: `smtp://127.0.0.1:${port}`, close: () => server.close() }
}

let mail: Awaited<ReturnType<typeof openMailServer>>
let shop: Shop
let owner: Person
beforeAll(async () => {
  mail = await openMailServer()
  shop = await openShop({
    worker: false,
    people: {
      mail: { smtpUrl: mail.url, from: 'VINR <vinr@shop.example>' },
      signInUrl: 'https://office.example/sign-in',
    },
  })
  owner = await person(shop, 'owner')
})
afterAll(async () => {
  await shop.close()
  mail.close()
})

const invite = (email: string) => owner.send('post', '/v1/team_members', { email, role: 'viewer' })
const tokenOf = (text = '') =>
  /#token=([\w-]{43})/.exec(text.replaceAll('=\n', '').replaceAll('=3D', '='))?.[1] ?? ''

it('takes an invitation to whom it is for, and the answer shows no token', async () => {
  const email = newEmail()
  const { body } = await invite(email)
  expect(body.invitation).toEqual({
    token: null,
    url: null,
    sent_to: email,
    expires_at: expect.any(String),
  })
  const sent = mail.mails.at(-1)
  expect(sent).toContain(`To: ${email}`)
  expect(sent).toContain('From: VINR <vinr@shop.example>')
  expect(sent).toContain('https://office.example/sign-in')
  expect((await signIn(shop, { token: tokenOf(sent), password: PASSWORD })).status).toBe(201)
})

it('takes a reset to its person, also one of other workspaces', async () => {
  const somebody = await person(shop, 'viewer')
  const { body } = await owner.send('post', `/v1/team_members/${somebody.id}/reset_password`)
  expect(body).toMatchObject({ token: null, sent_to: somebody.email })
  const next = { token: tokenOf(mail.mails.at(-1)), password: 'another password by mail' }
  expect((await signIn(shop, next)).status).toBe(201)
})

it('that fails is counted; an invitation is then shown, a reset is not', async () => {
  const somebody = await person(shop, 'viewer')
  mail.state.refuses = true
  const invited = await invite(newEmail())
  expect(invited.body.invitation).toMatchObject({ token: expect.any(String), sent_to: null })
  expect(invited.body.invitation.url).toBe(
    `https://office.example/sign-in#token=${invited.body.invitation.token}`,
  )
  const reset = await owner.send('post', `/v1/team_members/${somebody.id}/reset_password`)
  expect(reset.body).toMatchObject({ token: null, sent_to: null })
  mail.state.refuses = false
  const failed = shop.lines.filter((line) => line.includes('"kind":"mail"'))
  expect(failed.length).toBe(2)
  expect(failed.join('\n')).not.toContain(invited.body.invitation.token)
})
