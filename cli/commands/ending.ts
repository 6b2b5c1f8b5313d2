/**
 * An action whose failure ends in one line on standard error and the exit code `failed`. Where it answers
 * false, it did its work and found something that is not as it should be: exit code 1.
 */
export const ending =
  <Arguments extends unknown[]>(failed: number, act: (...given: Arguments) => Promise<unknown>) =>
  async (...given: Arguments): Promise<void> => {
    try {
      if ((await act(...given)) === false) process.exitCode = 1
    } catch (error) {
      console.error(error instanceof Error ? error.message : error)
      process.exitCode = failed
    }
  }
