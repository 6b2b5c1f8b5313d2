import {
  forgetUpload,
  keepChunk,
  markUploadAlive,
  openUpload,
  type Upload,
} from '../db/bulk-uploads.ts'
import type { Dependencies } from './dependencies.ts'

/** Checked rows of one lane, as JSON text. */
export type Chunk = { no: number; rows: string }

/** The file's process was taken for dead, and what it kept was removed. Nothing was written. */
export class UploadLost extends Error {}

/** What the API does while it reads an import's file. */
export function uploadCommands({ pool }: Dependencies) {
  return {
    /** False where the workspace reads `most` files already, in all processes together. */
    openUpload: (upload: Upload, most: number): Promise<boolean> => openUpload(pool, upload, most),

    /** Keeps a chunk, where no import has it yet; UploadLost where the upload was taken for dead. */
    keepChunk: async (upload: Upload, chunk: Chunk): Promise<void> => {
      if (!(await keepChunk(pool, upload, chunk))) throw new UploadLost()
    },

    /** Says that its process lives, while its sender is slow. */
    markUploadAlive: (upload: Upload): Promise<unknown> => markUploadAlive(pool, upload),

    /** Removes it with its chunks; nothing where an import has them. */
    forgetUpload: (upload: Upload): Promise<void> => forgetUpload(pool, upload),
  }
}
