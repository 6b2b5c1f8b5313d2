import { extname } from 'node:path'

const TYPES: Readonly<Record<string, string>> = {
  '.csv': 'text/csv; charset=utf-8',
  '.ndjson': 'application/x-ndjson',
  '.jsonl': 'application/x-ndjson',
}

/** The media type of a file by its name; undefined where it is none that can be imported. */
export const mediaType = (file: string): string | undefined => TYPES[extname(file).toLowerCase()]
