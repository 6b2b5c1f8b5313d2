import { noSuch, Refused } from '../domain/refusal.ts'

/** 404 for something that a body names and that does not exist here. */
export function missing(param: string, id: string): never {
  throw new Refused({ code: 'resource_missing', message: noSuch(param, id), param })
}

/** 404 for the object that the path names. */
export function notFound(what: string, id: string): never {
  throw new Refused({ code: 'resource_missing', message: noSuch(what, id) })
}
