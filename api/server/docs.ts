import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import express, { Router } from 'express'
import helmet from 'helmet'
import { ERROR_CODES } from '../../domain/refusal.ts'
import { ERRORS } from './errors.ts'
import { onlyRead } from './routes.ts'

// swagger-ui-dist's own entry loads the whole bundle into the server; its folder is all we need.
const SWAGGER_UI = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
const SERVED = /^\/(swagger-ui\.css|swagger-ui-bundle\.js|favicon-(16x16|32x32)\.png)$/

/** Everything from this server; Swagger UI sets inline styles and shows its icons as data. */
const POLICY = helmet.contentSecurityPolicy({
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
})

/** `/openapi.json`, `/docs` (Swagger UI from this server's own files) and `/docs/errors`. */
export function docsRoutes(document: () => unknown): Router {
  const router = Router()
  let json: string | undefined
  router.get('/openapi.json', (_req, res) => {
    json ??= JSON.stringify(document())
    res.type('json').send(json)
  })

  const assets = express.static(SWAGGER_UI, { index: false, maxAge: '1h' })
  router.use('/docs', POLICY)
  router.get('/docs', (_req, res) => {
    res.type('html').send(PAGE)
  })
  router.get('/docs/start.js', (_req, res) => {
    res.type('js').send(START)
  })
  router.get('/docs/errors', (_req, res) => {
    res.type('html').send(errorsPage())
  })
  router.use('/docs', (req, res, next) => (SERVED.test(req.path) ? assets(req, res, next) : next()))
  for (const path of ['/openapi.json', '/docs', '/docs/start.js', '/docs/errors']) {
    router.all(path, onlyRead(path))
  }
  return router
}

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>VINR Engagement API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="api"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`

// `validatorUrl: null`: the badge would ask somebody else's server.
const START = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#api',
  deepLinking: true,
  filter: true,
  validatorUrl: null,
  persistAuthorization: false,
})
`

function errorsPage(): string {
  const rows = ERROR_CODES.map((code) => {
    const { status, type, meaning } = ERRORS[code]
    const words = escaped(meaning).replace(/`([^`]+)`/g, '<code>$1</code>')
    return `<tr id="${code}"><td>${status}</td><td>${type}</td><td><code>${code}</code></td><td>${words}</td></tr>`
  })
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Errors - VINR Engagement API</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
table { border-collapse: collapse }
td, th { border-bottom: 1px solid #ccc; padding: .4rem .8rem .4rem 0; text-align: left; vertical-align: top }
tr:target { background: #fff3c4 }
</style>
</head>
<body>
<h1>Errors</h1>
<p>An error is <code>{"error": {"type", "code", "message", "param", "doc_url", "request_id", "resource"}}</code>;
the fields of a code stand beside these. A refused request has changed nothing, except after
<code>temporarily_unavailable</code> and <code>internal_error</code>, where a retry with the same
<code>Idempotency-Key</code> finds out.</p>
<table>
<thead><tr><th>HTTP</th><th>type</th><th>code</th><th>meaning</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
</body>
</html>
`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
