import { expect, test } from 'vitest'
import { type Actor, actorOf, personOf, recorded } from './actor.ts'

test.each([
  ['e-1841', { id: 'e-1841', name: null }],
  [' anna@shop.example ', { id: 'anna@shop.example', name: null }],
  ['e-1841; name="Anna Weiß"', { id: 'e-1841', name: 'Anna Weiß' }],
  ['e-1841;name="A \\"B\\" \\\\ C"', { id: 'e-1841', name: 'A "B" \\ C' }],
])('Vinr-Actor %j names %j', (header, person) => {
  expect(personOf(header)).toEqual(person)
})

test.each([
  '',
  'two words',
  'a'.repeat(101),
  '; name="Anna"',
  'e-1841; name=Anna',
  'e-1841; name=""',
  'e-1841; name="Anna',
  'e-1841; role="owner"',
  `e-1841; name="${'n'.repeat(101)}"`,
  'e-1841; name="A\tB"',
  'e-1841; name="A"; name="B"',
])('Vinr-Actor %j names nobody', (header) => {
  expect(personOf(header)).toBeUndefined()
})

test('an actor is recorded without what is not known, and read back as it was', () => {
  const key: Actor = {
    type: 'api_key',
    id: 'key_1',
    name: null,
    onBehalfOf: { id: 'e-1841', name: 'Anna' },
  }
  const run: Actor = { type: 'workflow', id: 'imp_1', name: null, onBehalfOf: key }
  expect(recorded(run)).toEqual({
    type: 'workflow',
    id: 'imp_1',
    on_behalf_of: {
      type: 'api_key',
      id: 'key_1',
      on_behalf_of: { id: 'e-1841', name: 'Anna' },
    },
  })
  expect(actorOf(recorded(run))).toEqual(run)
})
