const FNV_PRIME = 0x01000193;
/** What separates two texts that are hashed as one. */
const SEPARATOR = 0x1f;
// A name of the module is found faster than a global.
const { imul } = Math;

/**
 * Hashes a text to 32 bits, the same in every process and for ever (FNV-1a over the bytes of UTF-16 code units, then mixed, so
 * that what differs in the last characters only is spread as well). Not for secrets.
 *
 * @param seed another one for each use, so that what one use puts together another does not.
 */
export function textHash(text: string, seed: number): number {
  return mixed(folded(text, seed));
}

/** A seed for {@link textHash} that stands for a text: with another one, all texts are hashed otherwise. */
export function seedOf(text: string, seed: number): number {
  return imul(folded(text, seed) ^ SEPARATOR, FNV_PRIME);
}

/** Another hash of a hash. */
export function mixed(value: number): number {
  let hash = value | 0;
  hash = imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function folded(text: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    hash = imul(hash ^ (unit & 0xff), FNV_PRIME);
    hash = imul(hash ^ (unit >>> 8), FNV_PRIME);
  }
  return hash;
}
