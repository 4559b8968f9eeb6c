import { nearestName } from '../config/nearest-name.ts';

/** Thrown for what a test asks of the kit and cannot be had: it says what is wrong, and what to write instead. */
export class TestingError extends Error {
  override readonly name = 'TestingError';
}

/** Thrown for what a test expects and is not so. Its `code` is the one of Node's own, which test runners show as a failure. */
export class ExpectationError extends Error {
  override readonly name = 'ExpectationError';
  readonly code = 'ERR_ASSERTION';
}

/** Says that there is nothing of a name, and what was meant or what there is. */
export function noSuch(what: string, given: string, names: Iterable<string>): TestingError {
  const known = [...names];
  const nearest = nearestName(given, known);
  const way =
    nearest !== undefined
      ? `did you mean "${nearest}"?`
      : known.length === 0
        ? 'there are none'
        : `there are ${known.join(', ')}`;
  return new TestingError(`there is no ${what} "${given}"; ${way}`);
}
