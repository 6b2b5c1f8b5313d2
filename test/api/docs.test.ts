import request from 'supertest'
import { describe, expect, it } from 'vitest'
import { ERROR_CODES } from '../../domain/refusal.ts'
import { appOfThings } from './things.ts'

const { app } = appOfThings()

describe('/openapi.json', () => {
  it('describes each endpoint from the schemas that validate it', async () => {
    const { status, body } = await request(app).get('/openapi.json')
    expect(status).toBe(200)
    expect(body.openapi).toBe('3.1.0')
    const create = body.paths['/v1/things'].post
    expect(create.security).toEqual([
      { apiKey: ['rewards:write'] },
      { bearer: ['rewards:write'] },
      { session: ['rewards:write'] },
    ])
    expect(create.requestBody.content['application/json'].schema).toMatchObject({
      required: ['account'],
      additionalProperties: false,
      properties: { amount: { type: 'integer', minimum: 0, maximum: 1_000_000_000_000 } },
    })
    expect(Object.keys(create.responses)).toEqual([
      '200',
      '201',
      '400',
      '401',
      '403',
      '404',
      '405',
      '413',
      '415',
      '429',
      '500',
      '503',
    ])
    expect(create.responses['201'].content['application/json'].schema.$ref).toBe(
      '#/components/schemas/Echo',
    )
    expect(create.parameters).toMatchObject([
      { in: 'header', name: 'Idempotency-Key', required: false },
      { in: 'header', name: 'Vinr-Actor', required: false },
    ])
    expect(body.paths['/v1/webhooks/{provider}'].post.security).toEqual([])
  })

  it('describes the query of a list', async () => {
    const { body } = await request(app).get('/openapi.json')
    const parameters = body.paths['/v1/things'].get.parameters
    expect(parameters.map(({ name }: { name: string }) => name)).toEqual([
      'limit',
      'starting_after',
      'ending_before',
      'created',
      'account',
    ])
    expect(parameters[0]).toMatchObject({
      in: 'query',
      required: false,
      schema: { type: 'integer', default: 20 },
    })
    expect(parameters[3]).toMatchObject({ style: 'deepObject', explode: true })
  })
})

describe('/docs', () => {
  it('is a page that takes everything from this server, under a policy that allows just that', async () => {
    const page = await request(app).get('/docs')
    const policy = page.headers['content-security-policy']
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self'")
    expect(policy).not.toContain('upgrade-insecure-requests')
    const named = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '')
    expect(named.length).toBe(4)
    for (const path of named) {
      const asset = await request(app).get(path)
      expect([path, asset.status]).toEqual([path, 200])
    }
    expect(page.text).not.toMatch(/<script>|https?:/)
  })

  it('serves nothing else of the package it comes from', async () => {
    for (const path of [
      '/docs/package.json',
      '/docs/index.html',
      '/docs/../package.json',
      '/docs/swagger-ui.js',
    ]) {
      expect([path, (await request(app).get(path)).status]).toEqual([path, 404])
    }
  })

  it('lists every error code where doc_url points', async () => {
    const { text } = await request(app).get('/docs/errors')
    for (const code of ERROR_CODES) expect(text).toContain(`<tr id="${code}">`)
  })
})
