const { imul } = Math;

/**
 * Hashes a text to 32 bits, the same in every process and for ever (MurmurHash3 over UTF-16 code units). Not for secrets.
 *
 * @param seed another one for each use, so that what one use puts together another does not.
 */
export function textHash(text: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < text.length; i += 1) {
    let unit = imul(text.charCodeAt(i), 0xcc9e2d51);
    unit = imul((unit << 15) | (unit >>> 17), 0x1b873593);
    hash ^= unit;
    hash = (imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  return mixed(hash ^ text.length);
}

/** Another hash of a hash. */
export function mixed(value: number): number {
  let hash = value | 0;
  hash = imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
