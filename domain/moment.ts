/** A whole day, YYYY-MM-DD, of the time zone that it is compared in. */
type Day = { readonly day: string }

/** What a comparison names: an instant, or a whole day. */
export type Moment = Date | Day

/** A window of moments as lists and reports name it. */
export type Window = {
  readonly gt?: Moment | undefined
  readonly gte?: Moment | undefined
  readonly lt?: Moment | undefined
  readonly lte?: Moment | undefined
}

// What ISO 8601 writes in four digits: beyond it, Postgres and JavaScript write and read years each in its own way.
const EARLIEST = Date.parse('0001-01-01T00:00:00.000Z')
const LATEST = Date.parse('9999-12-31T23:59:59.999Z')

/** Whether an instant lies in the years 0001 to 9999 of UTC; false for an invalid date. */
export const isWithinYears = (time: Date): boolean =>
  time.getTime() >= EARLIEST && time.getTime() <= LATEST
