import { readFileSync } from 'node:fs'

// Prints `<passed> <failed>` from vitest's JSON report. A file that failed without a failed test in it
// (it did not load, or a hook broke) is one failure; skipped tests count as neither.
const { testResults } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
let passed = 0
let failed = 0
for (const { name, status, message, assertionResults } of testResults) {
  const inFile = assertionResults.filter((test) => test.status === 'failed')
  passed += assertionResults.filter((test) => test.status === 'passed').length
  failed += inFile.length
  for (const { fullName } of inFile) console.error(`failed: ${fullName}`)
  if (status === 'failed' && inFile.length === 0) {
    failed += 1
    console.error(`failed: ${name}: ${message}`)
  }
}
console.log(passed, failed)
