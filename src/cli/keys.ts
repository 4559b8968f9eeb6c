import { hostname, userInfo } from 'node:os';
import { stringify } from 'yaml';
import type { z } from 'zod';
import { leaveEvent, type WaitingEvent } from '../audit/audit-inbox.ts';
import { faultsText } from '../config/zod-faults.ts';
import type { Environment } from '../config/env.schema.ts';
import type { RedisAccess } from '../config/redis-access.ts';
import { redisAddress, redisPlaceOf } from '../config/redis-url.ts';
import { createApiKey, type NewApiKey } from '../policies/authentication/api-keys/api-key.ts';
import { limitText } from '../policies/authentication/api-keys/api-key.hash.ts';
import { saveApiKey } from '../policies/authentication/api-keys/api-key.index.ts';
import { keyOrder } from '../policies/authentication/api-keys/api-key.order.ts';
import { apiKeyOptionsSchema } from '../policies/authentication/api-keys/api-key.schema.ts';
import { keyId } from '../policies/authentication/api-keys/api-key.view.ts';
import { closeRedis, createRedis, redisFault, whenReady } from '../store/redis.ts';
import { askAdmin } from './admin-client.ts';
import type { KeyOptions, KeysCreate } from './key-options.ts';
import { UsageError } from './options.ts';

export type { KeyOptions } from './key-options.ts';

/** Where a key goes: the store, when there is one, and the person who asked. */
export interface KeyOutlets {
  /** Default: none, and the configuration for the key is printed instead. */
  readonly redisUrl?: string | undefined;
  readonly access?: RedisAccess | undefined;
  readonly out: { write(text: string): unknown };
}

type Order = z.output<typeof keyOrder>;

const TIMEOUT_MS = 3000;

/**
 * Makes an API key, stores its hash, and prints the key exactly once; nobody can print it again.
 *
 * @throws UsageError for what no key can be.
 * @throws Error when Redis does not take it; the key is not printed then, because it would not work.
 */
export async function createKey(options: KeyOptions, { redisUrl, access, out }: KeyOutlets): Promise<void> {
  const order = read(options);
  const created = createApiKey(order.prefix);
  if (redisUrl === undefined) {
    out.write(
      `${keyLine(created)}\n# Add this to the configuration file:\n${snippet(created.sha256, order)}`,
    );
    return;
  }
  await store({ redisUrl, access, out }, created, order);
  out.write(`${keyLine(created)}\n# Stored in Redis as apikey:${created.sha256}; it works at once.\n`);
}

/** Has a gateway that runs make it, or makes it here. @throws {Error} like {@link createKey}. */
export async function runCreateKey(
  { admin, json = false, ...options }: KeysCreate,
  environment: Pick<Environment, 'admin' | 'adminHost' | 'adminPort' | 'redisUrl' | 'redisAccess'>,
  out: KeyOutlets['out'],
): Promise<void> {
  if (admin === undefined) {
    if (json) throw new UsageError('keys create: --json goes with --admin');
    return createKey(options, { redisUrl: environment.redisUrl, access: environment.redisAccess, out });
  }
  const answer = await askAdmin({ admin, environment }, 'POST', '/keys', orderOf(options));
  const made = answer as NewApiKey & { readonly id: string };
  out.write(
    json
      ? `${JSON.stringify(made, null, 2)}\n`
      : `${keyLine(made)}\n# Its id is ${made.id}; it works at once.\n`,
  );
}

/** The text that shows a new key. */
export function keyLine({ key }: Pick<NewApiKey, 'key'>): string {
  return `# The key of the client; it is shown only now:\n${key}\n`;
}

function orderOf({ clientId, roles, permissions, tier, more }: KeyOptions): object {
  return { clientId, roles, permissions, ...(tier === undefined ? {} : { tier }), ...more };
}

function read(options: KeyOptions): Order {
  const given = orderOf(options);
  const order = keyOrder.safeParse(given);
  if (!order.success) throw new UsageError(`keys create: ${faultsText(order.error, keyOrder, given)}`);
  return order.data;
}

// As people would write it: without what is empty.
function snippet(sha256: string, order: Order): string {
  const { clientId, expiresAt, rateLimit, tier, tenant, roles, permissions, scopes, addresses } = order;
  const lists = Object.entries({ tenant, roles, permissions, tier, scopes, addresses }).filter(
    ([, value]) => value !== undefined && value.length > 0,
  );
  const entry = {
    sha256,
    clientId,
    ...Object.fromEntries(lists),
    ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() }),
    ...(rateLimit === undefined ? {} : { rateLimit: limitText(rateLimit) }),
  };
  return stringify({ identity: { apiKeys: [entry] } });
}

// Left first: a key that nobody was told of is worse than an event of one that was not stored.
function madeEvent({
  sha256,
  clientId,
}: {
  readonly sha256: string;
  readonly clientId: string;
}): WaitingEvent {
  const at = new Date().toISOString();
  const host = hostname().slice(0, 255);
  return { at, action: 'created', target: `key ${keyId(sha256)}`, by: userName(), host, clientId };
}

// In a container the number of a user may have no name.
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? ''}`;
  }
}

async function store({ redisUrl = '', access }: KeyOutlets, created: NewApiKey, order: Order): Promise<void> {
  const lost = Promise.withResolvers<false>();
  let fault = 'it does not answer';
  const warn = (fields: { readonly reason?: string }): void => {
    fault = fields.reason ?? fault;
    lost.resolve(false);
  };
  const redis = createRedis(redisUrl, { info: () => undefined, warn }, access);
  const { sha256, prefix } = created;
  const record = { ...order, sha256, prefix, status: 'active', createdAt: Date.now() } as const;
  const { keepEnded } = apiKeyOptionsSchema.parse({});
  const isReady = await Promise.race([whenReady(redis, TIMEOUT_MS), lost.promise]);
  const save = async (): Promise<void> => {
    await leaveEvent(redis, madeEvent(record));
    await saveApiKey(redis, record, keepEnded);
  };
  const failure = isReady ? await save().catch(redisFault) : fault;
  closeRedis(redis);
  if (failure === undefined) return;
  // The URL may hold a password, and so may the arguments of the failed command: neither is passed on.
  const address = redisAddress(redisPlaceOf(redisUrl));
  throw new Error(`The key was not stored: Redis at ${address}: ${failure}`);
}
