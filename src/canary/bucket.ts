import { seedOf, textHash } from '../upstreams/balancing/text-hash.ts';

const SEED = 0x811c9dc5;
const RANGE = 2 ** 32;

/**
 * Where a subject stands in a rollout: from 0 up to and without 1, the same in every process and after every restart, and
 * another place in every rollout. Whose bucket is below the share of a side is on it, so that a growing share only adds.
 */
export function bucketOf(salt: string, subject: string): number {
  return textHash(subject, seedOf(salt, SEED)) / RANGE;
}
