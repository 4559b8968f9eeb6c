import type { ProblemCode } from './catalogue.ts';
import type { Problem } from './problem.ts';

/** The codes with which the gateway refuses what it, or a service, has no capacity for: nobody has failed. */
export const OVERLOAD_CODES = [
  'concurrency-limited',
  'upstream-saturated',
  'load-shed',
] as const satisfies readonly ProblemCode[];

/** One of {@link OVERLOAD_CODES}. */
export type OverloadCode = (typeof OVERLOAD_CODES)[number];

const CODES: ReadonlySet<ProblemCode> = new Set(OVERLOAD_CODES);

/** Whether a problem is a refusal for want of capacity, which is counted apart from faults. */
export function isOverload(problem: Problem | undefined): boolean {
  return problem !== undefined && CODES.has(problem.code);
}
