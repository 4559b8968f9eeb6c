import { randomInt } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { Unknown } from '../discovery-source.ts';
import { MAX_WEIGHT } from '../json-weight.ts';
import { jsonOf, refusalOf, RegistryClient } from '../registry-client.ts';
import { clusterAccess, type AccessOptions, type ClusterAccess } from './cluster-access.ts';
import { CredentialPlugin } from './credential-plugin.ts';
import { JsonLines } from './json-lines.ts';
import type { Slice } from './slices.ts';

/** Of which Service the slices are asked for. */
export interface SlicesApiOptions extends AccessOptions {
  readonly service: string;
  readonly namespace: string | undefined;
}

/** All slices of a Service by name, and the version that a watch goes on from. */
export interface SliceList {
  readonly slices: Map<string, Slice>;
  readonly version: string;
}

/** The version to go on from is too old: everything has to be listed again. */
export class Gone extends Unknown {}

const PAGE = 500;
const MAX_PAGES = 100;
/** Most slices of one Service: each has up to a thousand endpoints. */
export const MAX_SLICES = PAGE * MAX_PAGES;
const HEAD_MS = 15_000;
const READ_ACCESS_EVERY_MS = 60_000;
/** A watch ends itself after a while, each at another time, so that none is forgotten in the network. */
const WATCH_SECONDS = [240, 361] as const;
/** The longest a watch may take, in ms. */
export const LONGEST_WATCH_MS = (WATCH_SECONDS[1] * 1.1 + 5) * 1000;
const OK = 200;
const UNAUTHORIZED = 401;
const FORBIDDEN = 403;
const GONE = 410;

/** The EndpointSlices of one Service, over the API of Kubernetes. */
export class SlicesApi {
  readonly #options: SlicesApiOptions;
  readonly #plugin = new CredentialPlugin();
  #access: { readonly value: ClusterAccess; readonly readAt: number } | undefined = undefined;
  #client: RegistryClient | undefined = undefined;
  /** What the client was made with. */
  #tls: ClusterAccess['tls'] | undefined = undefined;

  constructor(options: SlicesApiOptions) {
    this.#options = options;
  }

  /** Lists all of them, page by page. @throws {Unknown} */
  async list(signal: AbortSignal): Promise<SliceList> {
    try {
      return await this.#pages(signal);
    } catch (error) {
      // Its pages were kept for too short a time: once more, and without going on from where they ended.
      if (error instanceof Gone) return this.#pages(signal);
      throw error;
    }
  }

  /** Follows changes from a version on. @throws {Gone} when that is too old. @throws {Unknown} */
  async watch(version: string, signal: AbortSignal): Promise<JsonLines> {
    const seconds = randomInt(...WATCH_SECONDS);
    const query = {
      watch: '1',
      resourceVersion: version,
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(seconds),
    };
    return new JsonLines(await this.#get('watch', query, signal));
  }

  /** Closes all connections. */
  close(): void {
    this.#client?.close();
  }

  async #pages(signal: AbortSignal): Promise<SliceList> {
    const slices = new Map<string, Slice>();
    let next: string | undefined = undefined;
    let weight = 0;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const query: Record<string, string> = {
        limit: String(PAGE),
        ...(next !== undefined && { continue: next }),
      };
      const read = await jsonOf(await this.#get('list', query, signal), MAX_WEIGHT - weight);
      weight += read.weight;
      const { metadata, items } = objectOf(read.value);
      const { resourceVersion, continue: more } = objectOf(metadata);
      if (!Array.isArray(items) || typeof resourceVersion !== 'string')
        throw new Unknown('the cluster answered with something that is no list');
      for (const item of items) slices.set(nameOf(item), item as Slice);
      if (typeof more !== 'string' || more === '') return { slices, version: resourceVersion };
      next = more;
    }
    throw new Unknown(`the cluster lists more than ${MAX_SLICES} slices`);
  }

  async #get(
    verb: 'list' | 'watch',
    query: Record<string, string>,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    let answer = await this.#ask(query, signal);
    if (answer.statusCode === UNAUTHORIZED) {
      // The token may have been replaced a moment ago.
      answer.destroy();
      this.#forgetAccess();
      answer = await this.#ask(query, signal);
    }
    if (answer.statusCode === OK) return answer;
    if (answer.statusCode === UNAUTHORIZED) this.#forgetAccess();
    if (answer.statusCode === GONE) {
      answer.destroy();
      throw new Gone('the cluster has forgotten the version to go on from');
    }
    const hint = `may it ${verb} endpointslices of discovery.k8s.io in this namespace?`;
    throw await refusalOf(answer, answer.statusCode === FORBIDDEN ? hint : '');
  }

  #forgetAccess(): void {
    this.#access = undefined;
    this.#plugin.forget();
  }

  async #ask(query: Record<string, string>, signal: AbortSignal): Promise<IncomingMessage> {
    const { url: server, headers, namespace } = await this.#current(signal);
    const space = this.#options.namespace ?? namespace;
    if (space === undefined) throw new Unknown('expected `namespace`: the context names none');
    const url = new URL(
      `apis/discovery.k8s.io/v1/namespaces/${encodeURIComponent(space)}/endpointslices`,
      server.endsWith('/') ? server : `${server}/`,
    );
    url.searchParams.set('labelSelector', `kubernetes.io/service-name=${this.#options.service}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const client = (this.#client ??= new RegistryClient());
    try {
      return await client.ask({ url, headers, headMs: HEAD_MS, signal });
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

/** The name of a slice, or of whatever else an event is about. */
export function nameOf(item: unknown): string {
  return String(objectOf(objectOf(item)['metadata'])['name'] ?? '');
}

/** A value as a record; an empty one for what is none. */
export function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
