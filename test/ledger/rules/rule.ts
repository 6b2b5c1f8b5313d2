/** What stands in a table: a number, a text, an instant as text, a record of the columns that matter, null. */
export type Value = string | number | boolean | null | readonly Value[] | { [key: string]: Value }

/** A sentence about the rule, its arguments in their order, and what it answers; of a record, the columns that matter. */
export type Case = readonly [sentence: string, args: readonly Value[], answer: Value]

/** The cases of functions, by their names. */
export type Tables = Record<string, readonly Case[]>
