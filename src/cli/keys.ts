import { Redis } from 'ioredis';
import { stringify } from 'yaml';
import { createApiKey, saveApiKey, type NewApiKey } from '../policies/authentication/api-keys/api-key.ts';

/** Whom an API key is for and what its holder may do. */
export interface KeyOptions {
  readonly clientId: string;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
  readonly tier: string | undefined;
}

/** Where a key goes: the store, when there is one, and the person who asked. */
export interface KeyOutlets {
  /** Default: none, and the configuration for the key is printed instead. */
  readonly redisUrl?: string | undefined;
  readonly out: { write(text: string): unknown };
}

const TIMEOUT_MS = 3000;

/**
 * Makes an API key, stores its hash, and prints the key exactly once; nobody can print it again.
 *
 * @throws Error when Redis does not take it; the key is not printed then, because it would not work.
 */
export async function createKey(options: KeyOptions, { redisUrl, out }: KeyOutlets): Promise<void> {
  const created = createApiKey();
  if (redisUrl === undefined) {
    out.write(
      `${keyLine(created)}\n# Add this to the configuration file:\n${snippet(created.sha256, options)}`,
    );
    return;
  }
  await store(redisUrl, created.sha256, options);
  out.write(`${keyLine(created)}\n# Stored in Redis as apikey:${created.sha256}; it works at once.\n`);
}

function keyLine({ key }: NewApiKey): string {
  return `# The key of the client; it is shown only now:\n${key}\n`;
}

function snippet(sha256: string, { clientId, roles, permissions, tier }: KeyOptions): string {
  const entry = {
    sha256,
    clientId,
    ...(roles.length > 0 ? { roles } : {}),
    ...(permissions.length > 0 ? { permissions } : {}),
    ...(tier === undefined ? {} : { tier }),
  };
  return stringify({ identity: { apiKeys: [entry] } });
}

async function store(redisUrl: string, sha256: string, options: KeyOptions): Promise<void> {
  const redis = new Redis(redisUrl, {
    lazyConnect: true,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let connectionFault: string | undefined;
  redis.on('error', (error: Error) => {
    connectionFault = error.message;
  });
  const failure = await redis
    .connect()
    .then(() => saveApiKey(redis, { sha256, status: 'active', ...options }))
    .then(
      () => undefined,
      (error: Error) => connectionFault ?? error.message,
    )
    .finally(() => {
      // On a connection that has ended already, ioredis would wait 2 s for it to end and hold the process.
      if (redis.status !== 'end') redis.disconnect();
    });
  if (failure === undefined) return;
  // The URL may hold a password, and so may the arguments of the failed command: neither is passed on.
  throw new Error(`The key was not stored: Redis at ${URL.parse(redisUrl)?.host ?? 'REDIS_URL'}: ${failure}`);
}
