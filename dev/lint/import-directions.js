import path from 'node:path'
import { DIRECTIONS } from './directions.js'

const ROOT = path.resolve(import.meta.dirname, '../..')
const EVERYTHING = ['*']

/**
 * Refuses an import that the table in directions.js does not allow, by whatever syntax it is made:
 * import, export from, import(), typeof import(), import = require(). `import { type X }` counts as an
 * import of the module, because it is one at run time.
 */
export const importDirections = {
  create(context) {
    const file = path.relative(ROOT, context.filename).split(path.sep).join('/')
    const home = file.includes('/') ? file.slice(0, file.indexOf('/')) : file

    const check = (node, source, { typeOnly = false, names = EVERYTHING } = {}) => {
      const message = refusal({ file, home, source, typeOnly, names })
      if (message) context.report({ node, message })
    }
    const checkNamed = (node, kind) => {
      if (!node.source) return
      check(node, node.source.value, { typeOnly: kind === 'type', names: valueNames(node) })
    }

    return {
      ImportDeclaration: (node) => checkNamed(node, node.importKind),
      ExportNamedDeclaration: (node) => checkNamed(node, node.exportKind),
      ExportAllDeclaration: (node) =>
        check(node, node.source.value, { typeOnly: node.exportKind === 'type' }),
      ImportExpression: (node) => check(node, node.source.value),
      TSImportType: (node) => check(node, node.source.value, { typeOnly: true }),
      TSExternalModuleReference: (node) => check(node, node.expression.value),
    }
  },
}

// A namespace, a default and an import for its effects name nothing in the module: judged as `*`.
function valueNames({ specifiers }) {
  const names = specifiers
    .filter(({ importKind, exportKind }) => importKind !== 'type' && exportKind !== 'type')
    .map((one) => (one.type === 'ExportSpecifier' ? one.local : one.imported))
    .map((name) => name?.name ?? name?.value ?? '*')
  return names.length > 0 ? names : EVERYTHING
}

function refusal({ file, home, source, typeOnly, names }) {
  // A test beside the code stands around it, as those in test/ do.
  if (file.endsWith('.test.ts')) return undefined
  const direction = DIRECTIONS[home]
  if (!direction)
    return `${home} has no row in dev/lint/directions.js, which says who may import what`
  if (direction.from === 'anything') return undefined
  if (typeof source !== 'string') return `${file} imports what only the run knows: name the module`
  if (!source.startsWith('.')) return packageRefusal(home, direction, source)

  const target = path.posix.join(path.posix.dirname(file), source)
  if (target.startsWith(`${home}/`)) return undefined
  const covers = (place) => target === place || (place.endsWith('/') && target.startsWith(place))

  if (direction.types?.some(covers))
    return typeOnly ? undefined : `${home} takes only types from ${target}: write \`import type\``
  if (!direction.from.some(covers)) return `${home} may not import ${target}`
  if (typeOnly) return undefined
  for (const [folder, allowed] of Object.entries(direction.names ?? {})) {
    const closed = covers(folder) ? names.filter((name) => !allowed.test(name)) : []
    if (closed.length > 0) return `${home} may not use ${closed.join(', ')} of ${target}`
  }
  return undefined
}

function packageRefusal(home, { packages, closed }, source) {
  const allowed = packages ? packages.test(source) : !closed?.test(source)
  return allowed ? undefined : `${home} may not import the package ${source}`
}
