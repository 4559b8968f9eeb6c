import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';

type Json = Record<string, unknown>;

/** An object of a cluster, as it is written. */
export interface ClusterObject extends Json {
  readonly apiVersion: string;
  readonly kind: string;
  metadata: Json & { name: string; namespace?: string; resourceVersion?: string; generation?: number };
  spec?: Json;
  status?: Json;
}

const PLURALS: Readonly<Record<string, string>> = {
  GatewayClass: 'gatewayclasses',
  Ingress: 'ingresses',
  IngressClass: 'ingressclasses',
  BackendTLSPolicy: 'backendtlspolicies',
  GatehousePolicy: 'gatehousepolicies',
};
const OF_CLUSTER = new Set(['GatewayClass', 'IngressClass', 'Namespace']);

const GROUPS: Readonly<Record<string, readonly string[]>> = {
  'gateway.networking.k8s.io/v1': [
    'gatewayclasses',
    'gateways',
    'httproutes',
    'grpcroutes',
    'backendtlspolicies',
  ],
  'gateway.networking.k8s.io/v1beta1': ['referencegrants'],
  'networking.k8s.io/v1': ['ingresses', 'ingressclasses'],
  'gatehouse.dev/v1': ['gatehousepolicies'],
};

interface Watch {
  readonly response: ServerResponse;
  readonly takes: (object: ClusterObject) => boolean;
}

/**
 * The API of Kubernetes on the wire: objects of any kind with versions and generations; lists by page, watches from a version
 * on with bookmarks, patches of a status that fail with 409 for an old version; and what goes wrong with all of it.
 */
export class TestCluster {
  readonly #server: Server = createServer((request, response) => void this.#answer(request, response));
  readonly #objects = new Map<string, ClusterObject>();
  readonly #log: { readonly version: number; readonly type: string; readonly object: ClusterObject }[] = [];
  readonly #watches = new Set<Watch>();
  #version = 1000;
  #forgotten = 0;
  /** Method and path of all requests. */
  readonly asked: string[] = [];
  /** Kinds, by plural, that are not installed. */
  readonly absent = new Set<string>();
  /** Answers instead; undefined for as usual. */
  instead: ((path: string, query: URLSearchParams) => number | undefined) | undefined = undefined;
  pageSize = 500;

  async start(): Promise<this> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return this;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** A kubeconfig that leads here, as text. */
  get kubeconfig(): string {
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: this.url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'u', user: {} }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'gatehouse' } }],
      'current-context': 'x',
    });
  }

  /** Puts objects, as YAML or as they are. */
  apply(...given: readonly (string | object)[]): void {
    for (const one of given) {
      const objects =
        typeof one === 'string'
          ? parseAllDocuments(one).map((document) => document.toJS() as unknown)
          : [one];
      for (const object of objects) if (object !== null) this.#put(structuredClone(object) as ClusterObject);
    }
  }

  delete(kind: string, name: string, namespace = 'default'): void {
    const key = keyOf(pluralOf(kind), OF_CLUSTER.has(kind) ? '' : namespace, name);
    const object = this.#objects.get(key);
    if (object === undefined) throw new Error(`there is no ${key}`);
    this.#objects.delete(key);
    this.#tell('DELETED', { ...object, metadata: { ...object.metadata, resourceVersion: this.#next() } });
  }

  get(kind: string, name: string, namespace = 'default'): ClusterObject | undefined {
    return this.#objects.get(keyOf(pluralOf(kind), OF_CLUSTER.has(kind) ? '' : namespace, name));
  }

  /** Waits until an object is as somebody wants it. */
  async until(
    kind: string,
    name: string,
    isSo: (object: ClusterObject) => boolean,
    namespace = 'default',
  ): Promise<ClusterObject> {
    for (let tries = 0; tries < 2000; tries += 1) {
      const object = this.get(kind, name, namespace);
      if (object !== undefined && isSo(object)) return object;
      await sleep(5);
    }
    throw new Error(`${kind} ${name} is ${JSON.stringify(this.get(kind, name, namespace)?.status)}`);
  }

  /** Forgets all versions so far, and tells those that watch: in either of two ways. */
  expire(how: 'event' | 'end'): void {
    this.#forgotten = this.#version;
    for (const { response } of this.#watches) {
      if (how === 'event')
        response.write(`${JSON.stringify({ type: 'ERROR', object: statusOf(410, 'Expired') })}\n`);
      response.end();
    }
    this.#watches.clear();
  }

  /** Tells all that watch which version it is. */
  bookmark(): void {
    const version = String(this.#version);
    for (const { response } of this.#watches)
      response.write(
        `${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: version } } })}\n`,
      );
  }

  /** Sends something to all that watch. */
  send(text: string): void {
    for (const { response } of this.#watches) response.write(text);
  }

  /** Cuts all connections. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  #put(object: ClusterObject): void {
    const plural = pluralOf(object.kind);
    const namespace = OF_CLUSTER.has(object.kind) ? '' : (object.metadata.namespace ?? 'default');
    const key = keyOf(plural, namespace, object.metadata.name);
    const before = this.#objects.get(key);
    const isOther = JSON.stringify(before?.spec) !== JSON.stringify(object.spec);
    const metadata = {
      creationTimestamp:
        before?.metadata['creationTimestamp'] ?? new Date(this.#version * 1000).toISOString(),
      uid: before?.metadata['uid'] ?? `uid-${key}`,
      managedFields: [{ manager: 'test' }],
      ...object.metadata,
      ...(namespace !== '' && { namespace }),
      generation: (before?.metadata.generation ?? 0) + Number(isOther || before === undefined),
      resourceVersion: this.#next(),
    };
    const status = object.status ?? before?.status;
    const next = { ...object, metadata, ...(status !== undefined && { status }) };
    this.#objects.set(key, next);
    this.#tell(before === undefined ? 'ADDED' : 'MODIFIED', next);
  }

  #next(): string {
    return String((this.#version += 1));
  }

  #tell(type: string, object: ClusterObject): void {
    this.#log.push({ version: this.#version, type, object });
    for (const { response, takes } of this.#watches)
      if (takes(object)) response.write(`${JSON.stringify({ type, object })}\n`);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://x');
    this.asked.push(`${request.method} ${request.url}`);
    const other = this.instead?.(pathname, query);
    if (other !== undefined) return json(response, other, statusOf(other, 'Refused'));
    const place =
      /^\/apis?\/(?:([a-z.0-9-]+\.[a-z0-9.-]+)\/)?v\d\w*(?:\/namespaces\/([^/]+))?\/([a-z]+)(?:\/([^/]+))?(?:\/(status))?$/.exec(
        pathname,
      );
    if (place === null) return this.#discover(pathname, response);
    const [, , namespace = '', plural = '', name, part] = place;
    if (this.absent.has(plural)) return json(response, 404, statusOf(404, 'NotFound'));
    if (request.method !== 'GET') return this.#change(request, response, { namespace, plural, name, part });
    if (name !== undefined) {
      const object = this.#objects.get(keyOf(plural, namespace, name));
      return json(response, object === undefined ? 404 : 200, object ?? statusOf(404, 'NotFound'));
    }
    const takes = (object: ClusterObject): boolean =>
      pluralOf(object.kind) === plural &&
      (namespace === '' || object.metadata.namespace === namespace) &&
      selected(object, query);
    if (query.has('watch')) return this.#watch(response, query, takes);
    const all = [...this.#objects.values()].filter(takes);
    const from = Number(query.get('continue') ?? 0);
    const to = from + Math.min(this.pageSize, Number(query.get('limit') ?? this.pageSize));
    const metadata = {
      resourceVersion: String(this.#version),
      ...(to < all.length && { continue: String(to) }),
    };
    json(response, 200, { kind: 'List', metadata, items: all.slice(from, to) });
  }

  // What `kubectl api-resources` asks: groups, and the kinds of one of them.
  #discover(path: string, response: ServerResponse): void {
    const served = Object.entries(GROUPS).map(([version, plurals]) => ({
      version,
      resources: plurals.filter((name) => !this.absent.has(name)).map((name) => ({ name, verbs: ['list'] })),
    }));
    const there = served.filter(({ resources }) => resources.length > 0);
    const groups = there.map(({ version: groupVersion }) => ({ versions: [{ groupVersion }] }));
    if (path === '/apis') return json(response, 200, { kind: 'APIGroupList', groups });
    const found = there.find(({ version }) => path === `/apis/${version}`);
    if (found === undefined) return json(response, 404, statusOf(404, 'NotFound'));
    json(response, 200, { kind: 'APIResourceList', resources: found.resources });
  }

  #watch(response: ServerResponse, query: URLSearchParams, takes: Watch['takes']): void {
    const from = Number(query.get('resourceVersion'));
    if (from < this.#forgotten) return json(response, 410, statusOf(410, 'Expired'));
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    const watch = { response, takes };
    this.#watches.add(watch);
    response.once('close', () => this.#watches.delete(watch));
    for (const { version, type, object } of this.#log)
      if (version > from && takes(object)) response.write(`${JSON.stringify({ type, object })}\n`);
  }

  async #change(
    request: IncomingMessage,
    response: ServerResponse,
    {
      namespace,
      plural,
      name,
      part,
    }: { namespace: string; plural: string; name: string | undefined; part: string | undefined },
  ): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as ClusterObject;
    const known = this.#objects.get(keyOf(plural, namespace, name ?? body.metadata.name));
    if (request.method === 'POST') {
      if (known !== undefined) return json(response, 409, statusOf(409, 'AlreadyExists'));
      this.#put(body);
      return json(response, 201, this.#objects.get(keyOf(plural, namespace, body.metadata.name)));
    }
    if (known === undefined) return json(response, 404, statusOf(404, 'NotFound'));
    const version = body.metadata.resourceVersion;
    if (version !== undefined && version !== known.metadata.resourceVersion)
      return json(response, 409, statusOf(409, 'Conflict'));
    if (part === 'status') this.#put({ ...known, status: { ...known.status, ...body.status } });
    else this.#put({ ...body, kind: known.kind, apiVersion: known.apiVersion });
    json(response, 200, this.#objects.get(keyOf(plural, namespace, name ?? '')));
  }
}

function selected({ metadata, ...object }: ClusterObject, query: URLSearchParams): boolean {
  const labels = (metadata['labels'] ?? {}) as Readonly<Record<string, string>>;
  const ofLabel = query.get('labelSelector')?.split('=');
  if (ofLabel !== undefined && labels[ofLabel[0] ?? ''] !== ofLabel[1]) return false;
  const ofField = query.get('fieldSelector')?.split('=');
  return ofField === undefined || (object as Json)[ofField[0] ?? ''] === ofField[1];
}

function pluralOf(kind: string): string {
  return PLURALS[kind] ?? `${kind.toLowerCase()}s`;
}

function keyOf(plural: string, namespace: string, name: string): string {
  return `${plural}/${namespace}/${name}`;
}

function statusOf(code: number, reason: string): Json {
  return { kind: 'Status', status: 'Failure', code, reason };
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
