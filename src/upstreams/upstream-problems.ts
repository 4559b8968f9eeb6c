import type { ProblemCode } from '../problems/catalogue.ts';

/** What asking an upstream may end with, whoever asks. */
export const UPSTREAM_PROBLEMS: readonly ProblemCode[] = [
  'circuit-open',
  'no-available-target',
  'upstream-saturated',
  'upstream-unreachable',
  'upstream-timeout',
  'upstream-response-invalid',
];
