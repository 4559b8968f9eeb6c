import { Revocations } from '../revocation/revocations.ts';
import { hasRedis, type Scheme, type SchemeContext, type Upkeep } from '../scheme.ts';
import { ApiKeyDirectory } from './api-key.directory.ts';
import { configuredApiKeys } from './api-key.store.ts';
import { RedisApiKeyStore } from './api-key.store.redis.ts';
import { ApiKeyUsage } from './api-key.usage.ts';
import { ApiKeyVerifier } from './api-key.verifier.ts';
import { ApiKeyWatch, type ConfiguredKeys } from './api-key.watch.ts';
import { KnownKey } from './known-key.ts';

/** API keys: of the configuration, and of Redis. */
export const apiKeyScheme: Scheme = {
  name: 'apiKey',
  checkedAgainst: 'identity.apiKeys, or Redis (REDIS_URL), which has those of `gatehouse keys`',
  create({ apiKeys }, context) {
    const { clock = Date.now } = context;
    const records = configuredApiKeys(apiKeys);
    const configured = new Map(records.map((record) => [record.sha256, new KnownKey(record)]));
    // What is known of stored keys, and of exchanges under way, goes on over a reload.
    const keys = context.kept('apiKey keys', () => new KeptKeys(context));
    context.kept(`apiKey configured ${JSON.stringify(records)}`, () => new Taking(keys.watch, configured));
    const isConfigured = configured.size > 0 || hasRedis(context);
    const { directory, watch } = keys;
    return new ApiKeyVerifier({ configured, directory, watch, isConfigured, clock });
  },
};

/** What all sections share. */
class KeptKeys implements Upkeep {
  readonly directory: ApiKeyDirectory | undefined;
  readonly watch: ApiKeyWatch;

  constructor({ redis, guard, pubSub, revocations = new Revocations(), clock = Date.now }: SchemeContext) {
    this.directory = redis && new ApiKeyDirectory(new RedisApiKeyStore(redis, guard), clock);
    this.watch = new ApiKeyWatch({
      exchanges: revocations.exchanges,
      directory: this.directory,
      usage: redis && new ApiKeyUsage(redis),
      pubSub,
      clock,
    });
  }

  start(): void {
    this.watch.start();
  }

  stop(): void {
    this.watch.stop();
  }
}

/** Tells the watch which keys of the configuration are in force. */
class Taking implements Upkeep {
  readonly #watch: ApiKeyWatch;
  readonly #configured: ConfiguredKeys;

  constructor(watch: ApiKeyWatch, configured: ConfiguredKeys) {
    this.#watch = watch;
    this.#configured = configured;
  }

  start(): void {
    this.#watch.use(this.#configured);
  }

  stop(): void {
    // What has come into force since then counts.
  }
}
