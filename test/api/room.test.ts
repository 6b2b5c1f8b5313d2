import request from 'supertest'
import { expect, test } from 'vitest'
import { appOfThings, SECRET } from './things.ts'

const write = (app: ReturnType<typeof appOfThings>['app'], key = SECRET) =>
  Promise.resolve(
    request(app).post('/v1/things').set('X-Api-Key', key).send({ account: 'loy_1' }), // sent by its then
  )

test('a write waits for room and a read does not', async () => {
  let makeRoom = () => {}
  const room = new Promise<void>((resolve) => {
    makeRoom = resolve
  })
  const { app } = appOfThings({ room: () => room })
  const handled: string[] = []
  const waiting = write(app).then(({ status }) => handled.push(`POST ${status}`))
  const read = await request(app).get('/v1/things').set('X-Api-Key', SECRET)
  handled.push(`GET ${read.status}`)
  expect(handled).toEqual(['GET 200'])
  makeRoom()
  await waiting
  expect(handled).toEqual(['GET 200', 'POST 201'])
})

test('a write begins at once where there is room', async () => {
  const { app } = appOfThings({ room: () => undefined })
  expect((await write(app)).status).toBe(201)
})

test('what is refused for its key, its path or its method takes no room', async () => {
  const asked: string[] = []
  const { app } = appOfThings({ room: () => void asked.push('room') })
  expect((await write(app, 'sk_test_nobody')).status).toBe(401)
  expect((await request(app).post('/v1/nothing')).status).toBe(404)
  expect((await request(app).delete('/v1/things')).status).toBe(405)
  expect(asked).toEqual([])
  await write(app)
  expect(asked).toEqual(['room'])
})
