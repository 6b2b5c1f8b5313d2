import type { RequestHandler } from 'express'

/** Lets a write begin once there is room for what it will leave to be done in the background. */
export const whenRoom =
  (room: () => Promise<void> | undefined): RequestHandler =>
  (req, _res, next) => {
    const waiting = req.method === 'GET' || req.method === 'HEAD' ? undefined : room()
    if (waiting === undefined) next()
    else void waiting.then(() => next())
  }
