import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { faultsText } from '../config/zod-faults.ts';
import { ApiKeyFault } from '../policies/authentication/api-keys/api-key.fault.ts';
import type { ListedApiKey } from '../policies/authentication/api-keys/api-key.listing.ts';
import {
  keyChange,
  keyName,
  keyOrder,
  keyQuery,
  keyRevocation,
  rotationOrder,
} from '../policies/authentication/api-keys/api-key.order.ts';
import type { ApiKeyRegistry } from '../policies/authentication/api-keys/api-key.registry.ts';
import { configuredApiKeys } from '../policies/authentication/api-keys/api-key.store.ts';
import { keyId, shownKey } from '../policies/authentication/api-keys/api-key.view.ts';
import type { AdminOrders } from './admin-orders.ts';
import { tellSecret } from './audited-orders.ts';
import { operation } from './operation.ts';
import { noteKeyChange, type KeyChange } from './key-changes.ts';

const PATH = '/keys';
/** What can be said of a key fits in. */
const MOST_BYTES = 65_536;
const STATUS = { unknown: 404, conflict: 409, unavailable: 503 } as const;

const NO_STORE = new ApiKeyFault(
  'conflict',
  'keys are issued and revoked where Redis keeps them: set REDIS_URL. Without it, list them under `identity.apiKeys` of the configuration; `gatehouse keys create` prints what to add',
);
const CONFIGURED = new ApiKeyFault(
  'conflict',
  'this key is one of `identity.apiKeys` of the configuration: change it there, and the gateway takes it over',
);

type KeyOrderDeps = Pick<AdminOrders, 'identity' | 'keys' | 'logger' | 'audit'>;

type Named = FastifyRequest<{ Params: { readonly id: string } }>;

/** Lists API keys, and takes orders to issue, change, rotate and revoke them. */
export function serveKeys(server: FastifyInstance, deps: KeyOrderDeps): void {
  const orders = new KeyOrders(deps);
  const options = { bodyLimit: MOST_BYTES };
  const list = operation('listKeys', 'read', { summary: 'API keys, page by page', query: keyQuery });
  server.get(PATH, list, (request, reply) => orders.answer(reply, () => orders.list(request)));
  const show = operation('showKey', 'read', { summary: 'One API key' });
  server.get(`${PATH}/:id`, show, (request: Named, reply) =>
    orders.answer(reply, () => orders.show(request)),
  );
  const create = operation('createKey', 'admin', { summary: 'Issue an API key', body: keyOrder });
  server.post(PATH, { ...options, ...create }, (request, reply) =>
    orders.answer(reply, () => orders.create(request)),
  );
  const change = operation('changeKey', 'admin', { summary: 'Change an API key', body: keyChange });
  server.patch(`${PATH}/:id`, { ...options, ...change }, (request: Named, reply) =>
    orders.answer(reply, () => orders.change(request)),
  );
  const rotate = operation('rotateKey', 'admin', {
    summary: 'Put a new API key in the place of one',
    body: rotationOrder,
  });
  server.post(`${PATH}/:id/rotate`, { ...options, ...rotate }, (request: Named, reply) =>
    orders.answer(reply, () => orders.rotate(request)),
  );
  const revoke = operation('revokeKey', 'admin', { summary: 'Revoke an API key', body: keyRevocation });
  server.post(`${PATH}/:id/revoke`, { ...options, ...revoke }, (request: Named, reply) =>
    orders.answer(reply, () => orders.revoke(request)),
  );
}

/** What was said makes no sense; its message is for the operator. */
class OrderFault extends Error {}

class KeyOrders {
  readonly #deps: KeyOrderDeps;

  constructor(deps: KeyOrderDeps) {
    this.#deps = deps;
  }

  async answer(reply: FastifyReply, act: () => Promise<object>): Promise<FastifyReply> {
    // A new key is in some of them.
    reply.header('cache-control', 'no-store');
    try {
      return reply.send(await act());
    } catch (error) {
      if (error instanceof OrderFault) return reply.code(400).send({ error: error.message });
      if (error instanceof ApiKeyFault) return reply.code(STATUS[error.kind]).send({ error: error.message });
      throw error;
    }
  }

  async list({ query }: FastifyRequest): Promise<object> {
    const { client, after, limit } = read(keyQuery, query);
    const { keys: registry } = this.#deps;
    const now = Date.now();
    const configured = after === undefined ? this.#configured() : [];
    const page = await registry?.listing.list({ clientId: client, after, limit });
    return {
      store: registry === undefined ? 'none' : 'redis',
      configured: configured
        .filter(({ clientId }) => client === undefined || clientId === client)
        .map((key) => shownKey(key, now)),
      keys: page?.keys.map((key) => shownKey(key, now)) ?? [],
      ...(page?.next === undefined ? {} : { next: page.next }),
    };
  }

  async show({ params }: Named): Promise<object> {
    const id = read(keyName, params.id);
    const configured = this.#configured().find(({ sha256 }) => sha256.startsWith(id));
    if (configured !== undefined) return shownKey(configured, Date.now());
    const { listing } = this.#registry();
    return shownKey(await listing.show(await listing.named(id)), Date.now());
  }

  create(request: FastifyRequest): Promise<object> {
    const order = read(keyOrder, request.body);
    return this.#noted({ what: 'created', clientId: order.clientId, request }, async (note) => {
      const { key, ...made } = await this.#registry().create(order, this.#keepMs());
      note.id = keyId(made.sha256);
      tellSecret(request);
      return { key, ...shownKey(made, Date.now()) };
    });
  }

  change(request: Named): Promise<object> {
    const { params, body } = request;
    const [id, change] = [read(keyName, params.id), read(keyChange, body)];
    return this.#noted({ what: 'changed', id, request }, async (note) => {
      const hash = await this.#stored(id);
      const key = await this.#registry().change(hash, change, this.#keepMs());
      note.clientId = key.clientId;
      return shownKey(key, Date.now());
    });
  }

  rotate(request: Named): Promise<object> {
    const { params, body } = request;
    const [id, { overlap, expiresAt }] = [read(keyName, params.id), read(rotationOrder, body ?? {})];
    return this.#noted({ what: 'rotated', id, request }, async (note) => {
      const hash = await this.#stored(id);
      const rotated = await this.#registry().rotate(hash, { overlapMs: overlap, expiresAt }, this.#keepMs());
      const { key, replaced, ...made } = rotated;
      note.clientId = made.clientId;
      note.successor = keyId(made.sha256);
      tellSecret(request);
      return { key, ...shownKey(made, Date.now()), replaced: shownKey(replaced, Date.now()) };
    });
  }

  revoke(request: Named): Promise<object> {
    const { params, body } = request;
    const [id, { reason }] = [read(keyName, params.id), read(keyRevocation, body ?? {})];
    return this.#noted({ what: 'revoked', id, request, reason }, async (note) => {
      const hash = await this.#stored(id);
      const key = await this.#registry().revoke(hash, reason, this.#keepMs());
      note.clientId = key.clientId;
      return shownKey(key, Date.now());
    });
  }

  async #noted(
    change: Omit<KeyChange, 'outcome'>,
    act: (note: { -readonly [Member in keyof KeyChange]?: KeyChange[Member] }) => Promise<object>,
  ): Promise<object> {
    const note = { ...change };
    try {
      const done = await act(note);
      noteKeyChange(this.#deps, { ...note, outcome: 'done' });
      return done;
    } catch (error) {
      const reason = error instanceof ApiKeyFault ? error.message : 'internal';
      noteKeyChange(this.#deps, { ...note, outcome: 'refused', reason });
      throw error;
    }
  }

  #stored(id: string): Promise<string> {
    if (this.#configured().some(({ sha256 }) => sha256.startsWith(id))) throw CONFIGURED;
    return this.#registry().listing.named(id);
  }

  #registry(): ApiKeyRegistry {
    if (this.#deps.keys === undefined) throw NO_STORE;
    return this.#deps.keys;
  }

  #configured(): readonly ListedApiKey[] {
    return configuredApiKeys(this.#deps.identity.section.options.apiKeys);
  }

  #keepMs(): number {
    return this.#deps.identity.section.options.apiKeyOptions.keepEnded;
  }
}

function read<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const found = schema.safeParse(given);
  if (!found.success) throw new OrderFault(faultsText(found.error, schema, given));
  return found.data;
}
