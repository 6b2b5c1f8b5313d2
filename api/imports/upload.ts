import type { Hash } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { ImportCheck, ImportLine } from '../../app/import-check.ts'
import { type CheckedUpload, keepUpload, type UploadContext } from '../../app/imports.ts'
import { pathOfProto } from '../schemas/text.ts'
import { refusalOf } from '../server/failure.ts'
import { counted, ImportRow, type Line } from './lines.ts'

export type LineReader = (source: Readable) => AsyncGenerator<Line>

/** Reads a file as it comes, counting and hashing it, and has its good rows kept (`keepUpload`). */
export function uploaded<T>(
  stream: Readable,
  hash: Hash,
  read: LineReader,
  context: UploadContext,
  then: (checked: ImportCheck, upload: CheckedUpload) => Promise<T>,
): Promise<T> {
  let source: Readable | undefined
  const lines = () => {
    source = counted(stream, hash)
    source.on('error', () => {}) // its reader sees it; a reader that stopped early needs no more
    return importLines(read(source))
  }
  return keepUpload(lines, context, (checked, upload) => {
    source?.resume() // what comes after the row that ended the reading
    return then(checked, upload)
  })
}

async function* importLines(lines: AsyncIterable<Line>): AsyncGenerator<ImportLine> {
  for await (const line of lines) yield importLine(line)
}

/** The row of a line, or what the schema says against it. */
function importLine({ line, row, fraction = 0, wrong }: Line): ImportLine {
  if (wrong !== undefined) {
    return { line, error: { code: 'parameter_invalid', message: `The line ${wrong}.` } }
  }
  const proto = pathOfProto(row)
  if (proto !== undefined) {
    const message = `Unknown parameter: ${proto}.`
    return { line, error: { code: 'parameter_unknown', param: proto, message } }
  }
  const result = ImportRow.safeParse(row)
  if (result.success) return { line, row: result.data, fraction }
  const { code, message, param } = refusalOf(result.error, row)
  return { line, error: { code, ...(param !== undefined && { param }), message } }
}
