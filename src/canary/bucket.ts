import { mixed } from '../upstreams/balancing/text-hash.ts';

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
// A name of the module is found faster than a global.
const { imul } = Math;
const RANGE = 2 ** 32;

/**
 * Where a subject stands in a rollout: from 0 up to and without 1, the same in every process and after every restart, and
 * another place in every rollout. Whose bucket is below the share of a side is on it, so that a growing share only adds.
 */
export function bucketOf(salt: string, subject: string): number {
  let hash = FNV_OFFSET;
  hash = mixIn(hash, salt);
  hash = imul(hash ^ 0x1f, FNV_PRIME);
  hash = mixIn(hash, subject);
  // Spreads what differs in the last characters only.
  return mixed(hash) / RANGE;
}

function mixIn(from: number, text: string): number {
  let hash = from;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    hash = imul(hash ^ (code & 0xff), FNV_PRIME);
    hash = imul(hash ^ (code >>> 8), FNV_PRIME);
  }
  return hash;
}
