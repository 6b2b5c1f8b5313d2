// What pg's pool and client, and drizzle's database, are asked by.
const ASKS = new Set(['query', 'connect', 'execute', 'transaction', 'insert', 'select'])

/** Refuses calls on a database, whatever type let it in. */
export const noSql = {
  create(context) {
    return {
      CallExpression(node) {
        const { callee } = node
        if (callee.type !== 'MemberExpression' || callee.computed) return
        if (!ASKS.has(callee.property.name)) return
        context.report({ node, message: `.${callee.property.name}() is for db/ to call` })
      },
      TaggedTemplateExpression(node) {
        if (node.tag.type === 'Identifier' && node.tag.name === 'sql')
          context.report({ node, message: 'SQL is written in db/' })
      },
    }
  },
}
