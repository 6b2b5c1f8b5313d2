import request from 'supertest'
import { invitationCommands } from '../../app/invitations.ts'
import { newId } from '../../domain/ids.ts'
import type { Role } from '../../domain/roles.ts'
import type { Shop } from './shop.ts'

export const PASSWORD = 'correct horse battery'

/** A person who is signed in, as their browser is. */
export type Person = {
  id: string
  email: string
  cookies: string[]
  csrf: string
  membership: string
  send(
    method: 'get' | 'post' | 'patch' | 'put' | 'delete',
    path: string,
    body?: object,
  ): request.Test
}

const cookiesOf = (answer: request.Response): string[] =>
  [answer.headers['set-cookie'] ?? []].flat().map((cookie: string) => cookie.split(';', 1)[0] ?? '')

/** Sends a sign-in, as a page does, from an address of its own unless it says which. */
export const signIn = (shop: Shop, body: object, cookies: string[] = []) => {
  const sent = request(shop.app).post('/v1/sessions')
  if (cookies.length > 0) sent.set('Cookie', cookies.join('; '))
  return sent.send(body)
}

export const newEmail = () => `${newId('usr')}@shop.example`.toLowerCase()

/** Somebody who was invited from the command line, accepted, and is signed in. */
export async function person(shop: Shop, role: Role, workspace = shop.workspace): Promise<Person> {
  const email = newEmail()
  const { token } = await invitationCommands(shop).inviteFirst(workspace, email, role)
  const answer = await signIn(shop, { token, password: PASSWORD, name: role })
  if (answer.status !== 201) throw new Error(answer.text)
  return asPerson(shop, answer, workspace)
}

export function asPerson(shop: Shop, answer: request.Response, workspace = shop.workspace): Person {
  const cookies = cookiesOf(answer)
  const { user, csrf_token: csrf, memberships } = answer.body
  return {
    id: user.id,
    email: user.email,
    cookies,
    csrf,
    membership: memberships.find((one: { workspace: string }) => one.workspace === workspace)?.id,
    send: (method, path, body) => {
      const agent = request(shop.app)
      const sent = agent[method](path)
        .set('Cookie', cookies.join('; '))
        .set('Vinr-Workspace', workspace)
        .set('Vinr-Csrf-Token', csrf)
      return body === undefined ? sent : sent.send(body)
    },
  }
}
