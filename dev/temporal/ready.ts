import { setTimeout as delay } from 'node:timers/promises'
import { Connection } from '@temporalio/client'
import type { SearchAttributeType } from '@temporalio/common'

/** As in the API's IndexedValueType. */
const ATTRIBUTE_TYPES = {
  Text: 1,
  Keyword: 2,
  Int: 3,
  Double: 4,
  Bool: 5,
  Datetime: 6,
  KeywordList: 7,
} as const

/** Search attributes by name. */
export type AttributeTypes = Record<string, keyof typeof ATTRIBUTE_TYPES>

/** As the SDK spells them. */
const SDK_TYPES: Record<SearchAttributeType, keyof typeof ATTRIBUTE_TYPES> = {
  TEXT: 'Text',
  KEYWORD: 'Keyword',
  INT: 'Int',
  DOUBLE: 'Double',
  BOOL: 'Bool',
  DATETIME: 'Datetime',
  KEYWORD_LIST: 'KeywordList',
}

/** The attributes that code defines by `defineSearchAttributeKey`. */
export function attributeTypes(
  keys: ReadonlyArray<{ name: string; type: SearchAttributeType }>,
): AttributeTypes {
  return Object.fromEntries(keys.map(({ name, type }) => [name, SDK_TYPES[type]]))
}

const CHECK_EVERY_MS = 50
const CALL_TIMEOUT_MS = 5_000

/**
 * Resolves once the frontend answers and the namespace can be used and has these search attributes;
 * those that a kept database lacks are registered. `signal` ends the waiting.
 */
export async function untilUsable(
  address: string,
  namespace: string,
  attributes: AttributeTypes,
  signal: AbortSignal,
): Promise<void> {
  const connection = Connection.lazy({ address })
  try {
    const missing = await missingAttributes(connection, namespace, attributes, signal)
    if (Object.keys(missing).length === 0) return
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: missing })
  } finally {
    await connection.close()
  }
}

/** The columns of the visibility table that the server chose for the namespace's own attributes. */
export async function attributeColumns(address: string, namespace: string): Promise<string[]> {
  const connection = Connection.lazy({ address })
  try {
    const { config } = await connection.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
      connection.workflowService.describeNamespace({ namespace }),
    )
    return Object.keys(config?.customSearchAttributeAliases ?? {})
  } finally {
    await connection.close()
  }
}

async function missingAttributes(
  connection: Connection,
  namespace: string,
  attributes: AttributeTypes,
  signal: AbortSignal,
): Promise<Record<string, number>> {
  for (;;) {
    try {
      const known = await registered(connection, namespace)
      const missing = Object.entries(attributes).filter(([name]) => !(name in known))
      return Object.fromEntries(missing.map(([name, type]) => [name, ATTRIBUTE_TYPES[type]]))
    } catch {
      await delay(CHECK_EVERY_MS, undefined, { signal })
    }
  }
}

/** Answers only where the frontend is up, knows the namespace and reaches its database. */
async function registered(connection: Connection, namespace: string) {
  return await connection.withDeadline(Date.now() + CALL_TIMEOUT_MS, async () => {
    await connection.workflowService.getSystemInfo({})
    await connection.workflowService.describeNamespace({ namespace })
    const list = await connection.operatorService.listSearchAttributes({ namespace })
    return list.customAttributes
  })
}
