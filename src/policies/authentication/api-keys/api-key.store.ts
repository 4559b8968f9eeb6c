import type { IdentityOptions } from '../identity.schema.ts';
import type { ClientLimitOptions } from '../../rate-limit/client-limit.schema.ts';

/** What a key says of its holder. */
export interface ApiKeyGrants {
  readonly tier?: string | undefined;
  readonly tenant?: string | undefined;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
  readonly scopes: readonly string[];
  /** In ms since the epoch; undefined for never. */
  readonly expiresAt?: number | undefined;
  /** Addresses and CIDR blocks that it may be used from; undefined for all, empty for none. */
  readonly addresses?: readonly string[] | undefined;
  readonly rateLimit?: ClientLimitOptions | undefined;
}

/** What is known about an API key. */
export interface ApiKeyRecord extends ApiKeyGrants {
  /** SHA-256 of the key in lower-case hex. */
  readonly sha256: string;
  readonly clientId: string;
  readonly status: 'active' | 'disabled' | 'revoked';
  /** What becomes of it is for people; times in ms since the epoch. */
  readonly prefix?: string | undefined;
  readonly createdAt?: number | undefined;
  readonly revokedAt?: number | undefined;
  readonly reason?: string | undefined;
  /** SHA-256 of the key in whose place it came, and of the one that came in its own. */
  readonly rotatedFrom?: string | undefined;
  readonly rotatedTo?: string | undefined;
}

/** Where API keys are kept, by their hash. */
export interface ApiKeyStore {
  /** Returns the record of a key, or undefined when there is none; rejects when the store does not answer. */
  find(sha256: string): Promise<ApiKeyRecord | undefined>;
}

/** Reads the keys that are part of the configuration. */
export function configuredApiKeys(keys: IdentityOptions['apiKeys']): readonly ApiKeyRecord[] {
  return keys.map(({ enabled, ...key }) => ({ ...key, status: enabled ? 'active' : 'disabled' }));
}
