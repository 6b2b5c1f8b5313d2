/** What is wrong with an expression, and where: the position counts from 1. */
export class ExpressionProblem extends Error {
  readonly position: number

  constructor(message: string, position: number) {
    super(`${message} (at ${position})`)
    this.name = 'ExpressionProblem'
    this.position = position
  }
}
