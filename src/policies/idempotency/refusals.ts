import { Problem } from '../../problems/problem.ts';

/** Whoever is told to come again soon. */
const SOON = Object.freeze({ 'retry-after': '1' });

/** The first request with the key is under way. */
export function inFlight(): Problem {
  return new Problem('idempotency-in-flight', { headers: SOON });
}

/** Nobody can tell whether the key was used. */
export function unavailable(): Problem {
  return new Problem('idempotency-unavailable', { headers: SOON });
}
