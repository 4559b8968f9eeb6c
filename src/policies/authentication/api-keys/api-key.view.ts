import { limitText } from './api-key.hash.ts';
import type { ListedApiKey } from './api-key.listing.ts';

/** How many digits of a hash people are shown. */
const ID_DIGITS = 16;

/** What people call a key. */
export function keyId(sha256: string): string {
  return sha256.slice(0, ID_DIGITS);
}

/** A key as operators see it: everything but the key, which nobody knows any more. */
export function shownKey(key: ListedApiKey, now: number): Readonly<Record<string, unknown>> {
  const { sha256, clientId, status, rateLimit, rotatedFrom, rotatedTo, ...others } = key;
  const { expiresAt, createdAt, revokedAt, lastUsedAt, ...rest } = others;
  const isOver = status === 'active' && expiresAt !== undefined && expiresAt <= now;
  const times = Object.entries({ expiresAt, createdAt, revokedAt, lastUsedAt }).flatMap(([name, ms]) =>
    ms === undefined ? [] : [[name, new Date(ms).toISOString()] as const],
  );
  const kin = Object.entries({ rotatedFrom, rotatedTo }).flatMap(([name, hash]) =>
    hash === undefined ? [] : [[name, keyId(hash)] as const],
  );
  return {
    id: keyId(sha256),
    clientId,
    status: isOver ? 'expired' : status,
    ...rest,
    ...(rateLimit === undefined ? {} : { rateLimit: limitText(rateLimit) }),
    ...Object.fromEntries([...times, ...kin]),
    sha256,
  };
}
