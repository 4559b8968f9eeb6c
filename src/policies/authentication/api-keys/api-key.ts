import { hash, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** A new key: the only moment at which its text is known. */
export interface NewApiKey {
  /** `gh_<prefix>_<random>_<checksum>`: shown once, kept by the client. */
  readonly key: string;
  /** The part that may be shown later, so that people can tell their keys apart. */
  readonly prefix: string;
  /** SHA-256 of the key in hex: what the gateway stores. */
  readonly sha256: string;
}

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const PREFIX_CHARACTERS = 8;
/** 43 characters of 62 hold 256 bits. */
const SECRET_CHARACTERS = 43;
/** 6 characters of 62 hold 32 bits. */
const CHECKSUM_CHARACTERS = 6;

/** What a prefix is: letters and digits, so that it ends where the next part begins. */
export const API_KEY_PREFIX = /^[0-9A-Za-z]{1,32}$/;

/** Keys with a checksum have four parts; older ones have three, and what others made is of any form. */
const CHECKED = /^gh_[0-9A-Za-z]+_[0-9A-Za-z]+_[0-9A-Za-z]*$/;

/**
 * Makes a key with 256 bits of randomness; that much needs no slow hash to resist guessing.
 *
 * @param prefix letters and digits that tell the key apart, for example `live`; random by default.
 */
export function createApiKey(prefix: string = randomText(PREFIX_CHARACTERS)): NewApiKey {
  if (!API_KEY_PREFIX.test(prefix)) throw new Error('prefix: expected 1 to 32 letters and digits');
  const text = `gh_${prefix}_${randomText(SECRET_CHARACTERS)}`;
  const key = `${text}_${checksumOf(text)}`;
  return { key, prefix, sha256: hashApiKey(key) };
}

/**
 * Whether a text is one of our keys with something wrong in it: nobody needs to look it up. The checksum is no secret and
 * proves nothing; it only tells typing errors, and finds keys in places where they should not be.
 */
export function isMistyped(key: string): boolean {
  if (!key.startsWith('gh_') || !CHECKED.test(key)) return false;
  const end = key.lastIndexOf('_');
  return checksumOf(key.slice(0, end)) !== key.slice(end + 1);
}

/** Returns the name under which a key is stored: its SHA-256 in hex. */
export function hashApiKey(key: string): string {
  return hash('sha256', key, 'hex');
}

function checksumOf(text: string): string {
  let rest = crc32(text);
  let checksum = '';
  for (let i = 0; i < CHECKSUM_CHARACTERS; i += 1) {
    checksum = (ALPHABET[rest % ALPHABET.length] as string) + checksum;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return checksum;
}

function randomText(characters: number): string {
  return Array.from({ length: characters }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}
