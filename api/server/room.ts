import type { RequestHandler } from 'express'

/** Lets a write begin once there is room for what it will leave to be done in the background. */
export const whenRoom =
  (room: () => Promise<void> | undefined): RequestHandler =>
  async (req, _res, next) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') await room()
    next()
  }
