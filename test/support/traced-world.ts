import { afterAll, beforeAll } from '@jest/globals';
import type { Client } from '@grpc/grpc-js';
import type { RequestListener } from 'node:http';
import { call, type CallOptions } from './client.ts';
import type { CollectedSpan } from './collected-spans.ts';
import { Collector, otelVariables, setVariables } from './collector.ts';
import { startGateway, type TestGateway } from './gateway.ts';
import { KindsServer } from './kinds-server.ts';
import { grpcClient } from './pass-gateway.ts';
import { echoSockets, type SocketService } from './socket-service.ts';
import { startUpstream, type TestUpstream } from './upstream.ts';

/** The span of whoever calls. */
export const CALLER = '00f067aa0ba902b7';

/** A gateway that sends its spans to a collector, and services of each kind behind it. */
export interface TracedWorld {
  readonly collector: Collector;
  readonly gateway: TestGateway;
  readonly http: TestUpstream;
  /** Two that are targets of one upstream. */
  readonly pair: readonly [TestUpstream, TestUpstream];
  readonly sockets: SocketService;
  readonly kinds: KindsServer;
  /** A client of gRPC. */
  readonly client: Client;
}

const answers: RequestListener = (_, response) => void response.writeHead(200).end('{}');

/** Starts it before the tests of a file and stops it after them; filled by then. @param tracing what the file says of traces. */
export function useTracedWorld(tracing: object = {}): TracedWorld {
  const world = {} as { -readonly [Key in keyof TracedWorld]: TracedWorld[Key] };
  let restore = (): void => undefined;
  beforeAll(async () => {
    world.collector = await new Collector().start();
    const variables = otelVariables(world.collector.url);
    restore = setVariables(variables);
    world.http = await startUpstream();
    world.pair = [await startUpstream(answers), await startUpstream(answers)];
    world.sockets = echoSockets(world.http.server);
    world.kinds = await new KindsServer().start();
    world.gateway = await startGateway({ config: configOf(world, tracing), environment: variables });
    world.client = grpcClient(world.gateway.url);
  });
  afterAll(async () => {
    world.client.close();
    await world.gateway.stop();
    world.sockets.stop();
    world.kinds.stop();
    await Promise.all([...world.pair, world.http].map((one) => one.stop()));
    await world.collector.stop();
    restore();
  });
  return world;
}

function configOf({ http, pair, kinds }: TracedWorld, tracing: object): string {
  const targets = pair.map(({ url }) => url);
  const calm = { circuitBreaker: 'off', retry: { attempts: 1 } };
  const schema = { protocol: 'grpc', descriptorSet: 'proto/test/kinds.binpb' };
  const route = (id: string, more: object) => ({ id, match: { path: `/${id}` }, upstream: 'http', ...more });
  return JSON.stringify({
    version: 1,
    listeners: [{ port: 0, http2: true }],
    defaults: { policies: { authentication: 'public' } },
    upstreams: {
      http: { targets: [http.url], ...calm },
      hedged: { targets, circuitBreaker: 'off', hedge: { delay: '30ms' }, retry: { budget: '100%' } },
      retried: { targets, circuitBreaker: 'off', retry: { attempts: 2, on: [503], budget: '100%' } },
      kinds: { ...schema, targets: [kinds.url], ...calm },
      gone: { protocol: 'grpc', targets: ['grpc://127.0.0.1:1', 'grpc://127.0.0.1:2'], circuitBreaker: 'off', retry: { attempts: 2, on: ['connect', 'UNAVAILABLE'], budget: '100%' } },
    },
    routes: [
      route('plain', {}),
      route('hedged', { upstream: 'hedged' }),
      route('retried', { upstream: 'retried' }),
      route('mirrored', { mirror: { upstream: 'hedged' } }),
      route('socket', { webSocket: { origins: ['https://app.example'] } }),
      { id: 'kinds', upstream: 'kinds', grpc: { service: 'test.v1.Kinds' } },
      { id: 'gone', match: { path: '/test.v1.Gone/*' }, upstream: 'gone', passGrpc: true },
      { id: 'calls', match: { path: '/test.v1.Kinds/*' }, upstream: 'kinds', passGrpc: true },
    ],
    tracing: { trust: 'all', ...tracing },
  }); // prettier-ignore
}

/** A trace of its own for each request of a test. */
export class Traces {
  readonly #world: TracedWorld;
  #made = 0;

  constructor(world: TracedWorld) {
    this.#world = world;
  }

  /** An id that no other request of this file has. */
  next(): string {
    return (this.#made += 1).toString(16).padStart(32, 'e');
  }

  /** Makes a request, and waits for its spans. */
  async of(path: string, options: CallOptions = {}): Promise<Traced> {
    const traceId = this.next();
    const headers = { ...options.headers, ...fieldsOf(traceId) };
    await call(this.#world.gateway.url + path, { ...options, headers }).catch(() => undefined);
    return this.spans(traceId);
  }

  /** Waits for the spans of a trace. */
  async spans(traceId: string): Promise<Traced> {
    const spans = await this.#world.collector.traceOf(traceId);
    const server = spans.find(({ kind }) => kind === 'server');
    if (server === undefined) throw new Error(`there is no span of a server among ${spans.length}`);
    return { traceId, spans, server };
  }
}

/** The spans of one trace. */
export interface Traced {
  readonly traceId: string;
  readonly spans: readonly CollectedSpan[];
  readonly server: CollectedSpan;
}

/** The field that says a trace which is recorded. */
export function fieldsOf(traceId: string): { readonly traceparent: string } {
  return { traceparent: `00-${traceId}-${CALLER}-01` };
}

/** The spans right below one, in the order in which they began. */
export function childrenOf(
  spans: readonly CollectedSpan[],
  parent: CollectedSpan | undefined,
): readonly CollectedSpan[] {
  const below = spans.filter(({ parentId }) => parentId === parent?.spanId);
  return below.toSorted((a, b) => (a.startNs < b.startNs ? -1 : 1));
}
