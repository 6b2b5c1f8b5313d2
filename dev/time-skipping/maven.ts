import { execFile, execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const POM = join(import.meta.dirname, 'pom.xml')
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'
const MAVEN_TIMEOUT_MS = 300_000 // 38 MB over a slow line

// One processor's collector and the quick compiler: the SDK gives the server five seconds to start.
const SCRIPT = `#!/bin/sh
exec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$(dirname "$0")/lib/*" io.temporal.testserver.TestServer "$@"
`

/** The version of the test server that pom.xml names. */
export function pinnedTestServerVersion(): string {
  const artifact = /<artifactId>temporal-test-server<\/artifactId>\s*<version>(.+?)<\/version>/
  const version = artifact.exec(readFileSync(POM, 'utf8'))?.[1]
  if (version === undefined) throw new Error(`${POM} names no temporal-test-server`)
  return version
}

/** Copies the test server and what it needs into `dir`/lib, with a script `dir`/`file` to run it. */
export async function copyByMaven(dir: string, file: string): Promise<void> {
  requireCommand('java', '-version')
  requireCommand('mvn', '--version')
  const args = ['-B', '-ntp', '-q', '-f', POM, COPY, '-DincludeScope=runtime']
  const run = promisify(execFile)
  await run('mvn', [...args, `-DoutputDirectory=${join(dir, 'lib')}`], {
    timeout: MAVEN_TIMEOUT_MS,
  }).catch((cause: Error & { stdout?: string }) => {
    throw new Error(`mvn failed: ${lastLines(cause.stdout || cause.message)}`, { cause })
  })
  writeFileSync(join(dir, file), SCRIPT, { mode: 0o755 })
}

function requireCommand(command: string, flag: string) {
  try {
    execFileSync(command, [flag], { stdio: 'ignore' })
  } catch {
    throw new Error(`${command} is not on PATH`)
  }
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-5).join('\n')
}
