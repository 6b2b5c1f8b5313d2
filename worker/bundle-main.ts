import { writeFile } from 'node:fs/promises'
import { workflowBundle } from './bundle.ts'

/** `node worker/bundle-main.ts <file>`: the bundle that WORKFLOW_BUNDLE names, for an image. */
const file = process.argv[2]
if (file === undefined) throw new Error('usage: node worker/bundle-main.ts <file>')

const { code } = await workflowBundle()
await writeFile(file, code)
