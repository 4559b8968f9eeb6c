import type { Scheme } from '../scheme.ts';
import { ApiKeyDirectory } from './api-key.directory.ts';
import { configuredApiKeys } from './api-key.store.ts';
import { RedisApiKeyStore } from './api-key.store.redis.ts';
import { ApiKeyVerifier } from './api-key.verifier.ts';

/** API keys: of the configuration, and of Redis. */
export const apiKeyScheme: Scheme = {
  name: 'apiKey',
  checkedAgainst: 'identity.apiKeys',
  create({ apiKeys }, { redis, clock }) {
    const store = redis === undefined ? undefined : new RedisApiKeyStore(redis);
    return new ApiKeyVerifier(new ApiKeyDirectory(configuredApiKeys(apiKeys), store, clock));
  },
};
