import { types } from 'node:util';
import { Problem } from '../../problems/problem.ts';
import { PlainFault } from '../../telemetry/error-facts.ts';

/** What the engine throws over code that is wrong. `SyntaxError` and `URIError` are mostly about what somebody has sent. */
const NAMES = new Set(['TypeError', 'ReferenceError', 'RangeError', 'AssertionError']);

/**
 * Tells an error of the code from a fault of what the code asks: a `TypeError`, `ReferenceError`, `RangeError` or failed
 * assertion, a refusal of ours over what a section does, or an `internal` problem that was made of one. A `TypeError` with a
 * cause is none: that is how `fetch` reports connections.
 */
export function isCodeDefect(error: unknown): boolean {
  if (error instanceof Problem) return error.code === 'internal' && isCodeDefect(error.cause);
  if (error instanceof PlainFault) return true;
  return types.isNativeError(error) && NAMES.has(error.name) && error.cause === undefined;
}
