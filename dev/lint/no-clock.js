const isNamed = (node, name) => node?.type === 'Identifier' && node.name === name

/** Refuses reading the clock: `Date.now()`, `new Date()`, `Date()`, `performance.now()`. */
export const noClock = {
  create(context) {
    const report = (node) =>
      context.report({ node, message: 'a rule takes its time as a parameter' })
    return {
      NewExpression(node) {
        if (isNamed(node.callee, 'Date') && node.arguments.length === 0) report(node)
      },
      CallExpression(node) {
        if (isNamed(node.callee, 'Date')) report(node)
      },
      MemberExpression(node) {
        const clock = isNamed(node.object, 'Date') || isNamed(node.object, 'performance')
        if (clock && isNamed(node.property, 'now')) report(node)
      },
    }
  },
}
