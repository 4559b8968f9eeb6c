import { duration } from '../config/units.ts';
import { TestingError } from './testing-error.ts';

/** A time as the configuration has it, such as `250ms` or `5m`; as a number, milliseconds. */
export type Span = string | number;

/** A time in ms. @throws {TestingError} for what is none. */
export function millisecondsOf(span: Span): number {
  if (typeof span === 'number' && span >= 0 && Number.isFinite(span)) return span;
  const read = duration.safeParse(span);
  if (read.success) return read.data;
  throw new TestingError(`expected a duration such as 250ms or 30s, or milliseconds, given ${String(span)}`);
}
