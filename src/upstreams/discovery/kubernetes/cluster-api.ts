import { randomInt } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { Unknown } from '../discovery-source.ts';
import { MAX_WEIGHT } from '../json-weight.ts';
import { jsonOf, refusalOf, RegistryClient } from '../registry-client.ts';
import { clusterAccess, type AccessOptions, type ClusterAccess } from './cluster-access.ts';
import { CredentialPlugin } from './credential-plugin.ts';
import { JsonLines } from './json-lines.ts';

/** The version to go on from is too old: everything has to be listed again. */
export class Gone extends Unknown {}

/** What a cluster answers that is neither success nor a reason to try again at once. */
export class Refused extends Unknown {
  readonly status: number;

  constructor(status: number, refusal: Unknown) {
    super(refusal.message, { afterMs: refusal.afterMs, cause: refusal });
    this.status = status;
  }
}

/** Objects of one kind, below one path of the API. */
export interface Collection {
  /** Its path without the first slash; of the namespace that the access names where it needs one. */
  path(namespace: string | undefined): string;
  /** What is asked for besides, such as a selector. */
  readonly query?: Readonly<Record<string, string>> | undefined;
  /** What it is called in a hint about permissions. */
  readonly title: string;
}

/** Everything of a collection, and the version that a watch goes on from. */
export interface ItemList<Item> {
  /** By namespace and name, or by name alone where they are of one namespace. */
  readonly items: Map<string, Item>;
  readonly version: string;
}

/** A change that somebody asks a cluster for. */
export interface ClusterWrite {
  readonly method: 'POST' | 'PUT' | 'PATCH';
  readonly path: string;
  readonly body: unknown;
  /** Default application/json. */
  readonly type?: string | undefined;
}

const PAGE = 500;
const MAX_PAGES = 100;
/** Most objects of one collection. */
export const MAX_ITEMS = PAGE * MAX_PAGES;
const HEAD_MS = 15_000;
const READ_ACCESS_EVERY_MS = 60_000;
/** A watch ends itself after a while, each at another time, so that none is forgotten in the network. */
const WATCH_SECONDS = [240, 361] as const;
/** The longest a watch may take, in ms. */
export const LONGEST_WATCH_MS = (WATCH_SECONDS[1] * 1.1 + 5) * 1000;
const OK = 200;
const CREATED = 201;
const UNAUTHORIZED = 401;
const FORBIDDEN = 403;
const GONE = 410;

/** The API of a cluster, asked as whom a kubeconfig or the service account of the pod says; read anew as those change. */
export class ClusterApi {
  readonly #options: AccessOptions;
  readonly #plugin = new CredentialPlugin();
  #access: { readonly value: ClusterAccess; readonly readAt: number } | undefined = undefined;
  #client: RegistryClient | undefined = undefined;
  /** What the client was made with. */
  #tls: ClusterAccess['tls'] | undefined = undefined;

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /** Lists all of a collection, page by page. @param nameOf what they are kept by. @throws {Unknown} */
  async list<Item>(
    collection: Collection,
    nameOf: (item: unknown) => string,
    signal: AbortSignal,
  ): Promise<ItemList<Item>> {
    try {
      return await this.#pages(collection, nameOf, signal);
    } catch (error) {
      // Its pages were kept for too short a time: once more, and without going on from where they ended.
      if (error instanceof Gone) return this.#pages(collection, nameOf, signal);
      throw error;
    }
  }

  /** Follows changes from a version on. @throws {Gone} when that is too old. @throws {Unknown} */
  async watch(collection: Collection, version: string, signal: AbortSignal): Promise<JsonLines> {
    const seconds = randomInt(...WATCH_SECONDS);
    const query = {
      watch: '1',
      resourceVersion: version,
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(seconds),
    };
    return new JsonLines(await this.#get(collection, 'watch', query, signal));
  }

  /** Reads one object. @throws {Refused} with the status. */
  async read(path: string, signal: AbortSignal): Promise<unknown> {
    return this.#settled(await this.#ask({ path: () => path, signal }));
  }

  /** Asks for a change. @throws {Refused} with the status. @returns the object as it is now. */
  async write({ method, path, body, type }: ClusterWrite, signal: AbortSignal): Promise<unknown> {
    const content = { method, body: JSON.stringify(body), type: type ?? 'application/json' };
    return this.#settled(await this.#ask({ path: () => path, content, signal }));
  }

  /** The namespace that the access names. @throws {Unknown} when there is no access. */
  async namespace(signal: AbortSignal): Promise<string | undefined> {
    return (await this.#current(signal)).namespace;
  }

  /** Closes all connections. */
  close(): void {
    this.#client?.close();
  }

  async #settled(answer: IncomingMessage): Promise<unknown> {
    const { statusCode = 0 } = answer;
    if (statusCode === OK || statusCode === CREATED) return (await jsonOf(answer)).value;
    if (statusCode === UNAUTHORIZED) this.#forgetAccess();
    throw new Refused(statusCode, await refusalOf(answer));
  }

  async #pages<Item>(
    collection: Collection,
    nameOf: (item: unknown) => string,
    signal: AbortSignal,
  ): Promise<ItemList<Item>> {
    const all = new Map<string, Item>();
    let next: string | undefined = undefined;
    let weight = 0;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const query: Record<string, string> = {
        limit: String(PAGE),
        ...(next !== undefined && { continue: next }),
      };
      const read = await jsonOf(await this.#get(collection, 'list', query, signal), MAX_WEIGHT - weight);
      weight += read.weight;
      const { metadata, items } = objectOf(read.value);
      const { resourceVersion, continue: more } = objectOf(metadata);
      if (!Array.isArray(items) || typeof resourceVersion !== 'string')
        throw new Unknown('the cluster answered with something that is no list');
      for (const item of items) all.set(nameOf(item), item as Item);
      if (typeof more !== 'string' || more === '') return { items: all, version: resourceVersion };
      next = more;
    }
    throw new Unknown(`the cluster lists more than ${MAX_ITEMS} ${collection.title}`);
  }

  async #get(
    collection: Collection,
    verb: 'list' | 'watch',
    query: Record<string, string>,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const path = (namespace: string | undefined): string => collection.path(namespace);
    const answer = await this.#ask({ path, query: { ...collection.query, ...query }, signal });
    const { statusCode = 0 } = answer;
    if (statusCode === OK) return answer;
    if (statusCode === UNAUTHORIZED) this.#forgetAccess();
    if (statusCode === GONE) {
      answer.destroy();
      throw new Gone('the cluster has forgotten the version to go on from');
    }
    const hint = `may it ${verb} ${collection.title}?`;
    throw new Refused(statusCode, await refusalOf(answer, statusCode === FORBIDDEN ? hint : ''));
  }

  #forgetAccess(): void {
    this.#access = undefined;
    this.#plugin.forget();
  }

  async #ask(asked: Asked): Promise<IncomingMessage> {
    const answer = await this.#askOnce(asked);
    if (answer.statusCode !== UNAUTHORIZED) return answer;
    // The token may have been replaced a moment ago.
    answer.destroy();
    this.#forgetAccess();
    return this.#askOnce(asked);
  }

  async #askOnce({ path, query = {}, content, signal }: Asked): Promise<IncomingMessage> {
    const { url: server, headers, namespace } = await this.#current(signal);
    const url = new URL(path(namespace), server.endsWith('/') ? server : `${server}/`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const client = (this.#client ??= new RegistryClient());
    try {
      return await client.ask({ url, headers, headMs: HEAD_MS, content, signal });
    } catch (error) {
      // Perhaps another authority certifies the cluster now: that is read again before the next question.
      this.#access = undefined;
      throw error;
    }
  }

  async #current(signal: AbortSignal): Promise<ClusterAccess> {
    const now = performance.now();
    if (this.#access !== undefined && now - this.#access.readAt < READ_ACCESS_EVERY_MS)
      return this.#access.value;
    const value = await clusterAccess(this.#options, this.#plugin, signal);
    if (this.#client === undefined || !isDeepStrictEqual(this.#tls, value.tls)) {
      // Connections that are in use go on to their end, as a watch does by itself; nobody uses the others any more.
      this.#client?.retire();
      this.#client = new RegistryClient(value.tls);
      this.#tls = value.tls;
    }
    this.#access = { value, readAt: now };
    return value;
  }
}

interface Asked {
  readonly path: (namespace: string | undefined) => string;
  readonly query?: Readonly<Record<string, string>>;
  readonly content?: { readonly method: string; readonly body: string; readonly type: string };
  readonly signal: AbortSignal;
}

/** The name of an object, or of whatever else an event is about. */
export function nameOf(item: unknown): string {
  return String(objectOf(objectOf(item)['metadata'])['name'] ?? '');
}

/** A value as a record; an empty one for what is none. */
export function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
