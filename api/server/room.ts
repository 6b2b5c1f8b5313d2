import type { RequestHandler } from 'express'

/** Lets a write begin once there is room for what it will leave to be done in the background. */
export const whenRoom =
  (room: () => Promise<void> | undefined): RequestHandler =>
  async (_req, _res, next) => {
    await room()
    next()
  }
