import { Problem } from '../../problems/problem.ts';

const MOST_SPREAD = 0.2;

/**
 * The refusal of an open breaker. Says when to come back: when it lets a probe through, rounded up to seconds, and up to a
 * fifth later, so that not all come back at once.
 *
 * @param random a number from 0 to below 1.
 */
export function circuitOpen(openForMs: number, random = Math.random()): Problem {
  const seconds = Math.max(1, Math.ceil((openForMs * (1 + MOST_SPREAD * random)) / 1000));
  return new Problem('circuit-open', { headers: { 'retry-after': String(seconds) } });
}
