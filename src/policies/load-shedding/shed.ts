import { Problem } from '../../problems/problem.ts';
import type { PriorityClass } from './priority-class.ts';

const SOONEST_S = 2;
const SPREAD_S = 7;

/**
 * The refusal of a gateway that has too much to do. Says when to come back, so that not all do at once.
 *
 * @param random a number from 0 to below 1.
 */
export function shed(priority: PriorityClass, random = Math.random()): Problem {
  const seconds = SOONEST_S + Math.floor(random * SPREAD_S);
  return new Problem('load-shed', { headers: { 'retry-after': String(seconds) }, by: priority });
}
