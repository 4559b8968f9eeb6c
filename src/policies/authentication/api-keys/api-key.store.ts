import type { IdentityOptions } from '../identity.schema.ts';

/** What is known about an API key. */
export interface ApiKeyRecord {
  /** SHA-256 of the key in lower-case hex. */
  readonly sha256: string;
  readonly clientId: string;
  readonly status: 'active' | 'disabled';
  readonly tier?: string | undefined;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
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
