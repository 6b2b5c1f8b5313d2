import express from 'express'
import request from 'supertest'
import { expect, test } from 'vitest'
import { whenRoom } from './room.ts'

test('a write waits for room and a read does not', async () => {
  const handled: string[] = []
  let makeRoom = () => {}
  const room = new Promise<void>((resolve) => {
    makeRoom = resolve
  })
  const app = express()
  app.use(whenRoom(() => room))
  app.use((req, res) => {
    handled.push(req.method)
    res.end()
  })
  const write = Promise.resolve(request(app).post('/')) // sent by its then
  await request(app).get('/')
  expect(handled).toEqual(['GET'])
  makeRoom()
  await write
  expect(handled).toEqual(['GET', 'POST'])
})

test('a write begins at once where there is room', async () => {
  const app = express()
  app.use(whenRoom(() => undefined))
  app.use((_req, res) => void res.status(201).end())
  expect((await request(app).post('/')).status).toBe(201)
})
