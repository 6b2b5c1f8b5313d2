import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readServices } from '../../dev/topology/compose-file.ts'
import { readDockerfile } from '../../dev/topology/dockerfile.ts'
import { COMPOSE_FILE, projectFile, SECRETS, userOfImage } from './files.ts'

const root = new URL('../../', import.meta.url)
const instructions = readDockerfile(new URL('Dockerfile', root).pathname)
const wordsOf = (verb: string) =>
  instructions.filter((each) => each.verb === verb).map(({ rest }) => rest.split(' '))
const copied = wordsOf('COPY')
  .filter(([first]) => !first?.startsWith('--from='))
  .flatMap((words) => words.slice(0, -1))

test('copies only what is there and .dockerignore lets in, and .dockerignore lets in no more', () => {
  const [everything, ...rest] = projectFile('.dockerignore').match(/^[^#\n].*$/gm) ?? []
  const letIn = rest.filter((line) => line.startsWith('!')).map((line) => line.slice(1))
  expect(everything).toBe('*')
  const isInAnother = (path: string) => copied.some((other) => path.startsWith(`${other}/`))
  expect([...new Set(copied)].filter((path) => !isInAnother(path)).sort()).toEqual(letIn.sort())
  for (const path of copied) expect(existsSync(new URL(path, root)), path).toBe(true)
})

test('installs without development packages and without install scripts, as another user', () => {
  const installs = wordsOf('RUN').filter(([command, verb]) => command === 'npm' && verb === 'ci')
  expect(installs).toHaveLength(2)
  for (const words of installs)
    expect(words).toEqual(expect.arrayContaining(['--omit=dev', '--ignore-scripts']))
  expect(userOfImage()).toBe('node')
})

test('has every program that a service or a health check runs', () => {
  const services = Object.values(readServices(COMPOSE_FILE, SECRETS)).filter(({ build }) => build)
  const words = services.flatMap(({ command, healthcheck }) => [
    ...(command ?? []),
    ...(healthcheck?.test ?? []),
  ])
  expect(words).toContain('vinr')
  const { bin } = JSON.parse(projectFile('cli/package.json'))
  const scripts = [
    ...words.filter((word) => word.endsWith('.ts')),
    ...Object.values<string>(bin).map((file) => join('cli', file)),
  ]
  expect(scripts).toEqual(expect.arrayContaining(['api/main.ts', 'worker/main.ts', 'cli/vinr.js']))
  const folders = copied.filter((path) => statSync(new URL(path, root)).isDirectory())
  for (const script of scripts) {
    expect(existsSync(new URL(script, root)), script).toBe(true)
    expect(
      copied.includes(script) || folders.some((folder) => script.startsWith(`${folder}/`)),
      script,
    ).toBe(true)
  }
})

test('makes `vinr` a command, with the packages that npm put beside it', () => {
  const [path] = wordsOf('ENV').filter(([word]) => word?.startsWith('PATH='))
  expect(path).toEqual(['PATH=/app/node_modules/.bin:$PATH'])
  expect(wordsOf('COPY').map((words) => words.join(' '))).toEqual(
    expect.arrayContaining(['--from=dependencies /app/cli ./cli', 'cli ./cli']),
  )
  expect(statSync(new URL('cli/vinr.js', root)).mode & 0o111).toBe(0o111)
})

test('starts from the Node that runs TypeScript as it is', () => {
  for (const [image] of wordsOf('FROM')) expect(image).toMatch(/^node:24-.+-slim$/)
})
