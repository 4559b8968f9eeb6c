import { Revocations } from '../revocation/revocations.ts';
import type { Scheme, SchemeContext, Upkeep } from '../scheme.ts';
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
  checkedAgainst: 'identity.apiKeys',
  create({ apiKeys }, context) {
    const { clock = Date.now } = context;
    const records = configuredApiKeys(apiKeys);
    const configured = new Map(records.map((record) => [record.sha256, new KnownKey(record)]));
    // What is known of stored keys, and of exchanges under way, goes on over a reload.
    const keys = context.kept('apiKey keys', () => new KeptKeys(context));
    context.kept(`apiKey configured ${JSON.stringify(records)}`, () => new Taking(keys.watch, configured));
    return new ApiKeyVerifier({ configured, directory: keys.directory, watch: keys.watch, clock });
  },
};

/** What all sections share. */
class KeptKeys implements Upkeep {
  readonly directory: ApiKeyDirectory | undefined;
  readonly watch: ApiKeyWatch;

  constructor({ redis, pubSub, revocations = new Revocations(), clock = Date.now }: SchemeContext) {
    this.directory = redis && new ApiKeyDirectory(new RedisApiKeyStore(redis), clock);
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
