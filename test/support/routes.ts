import { Rollouts } from '../../src/canary/rollouts.ts';
import { PubSub } from '../../src/store/pub-sub.ts';
import { pino } from 'pino';
import { readConfig } from '../../src/config/config-reader.ts';
import type { StageFactory } from '../../src/policies/stage-factory.ts';
import { ForwardKind } from '../../src/proxy/forward.kind.ts';
import { Mirrors } from '../../src/proxy/mirror/mirrors.ts';
import { ForwardedSockets } from '../../src/proxy/forwarded-sockets.ts';
import type { ForwardDefinition } from '../../src/proxy/forward.source.ts';
import { RouteCompiler, type CompilerDeps } from '../../src/routing/route-compiler.ts';
import { gatewaySchema } from '../../src/pipeline/actions.ts';
import { RouteTable } from '../../src/routing/route-table.ts';
import type { Route, RouteDefinition, RouteMatch } from '../../src/routing/route.ts';
import { NO_EDGE } from '../../src/snapshot/edge.ts';
import { Reloads } from '../../src/snapshot/reloads.ts';
import { SnapshotCompiler } from '../../src/snapshot/snapshot-compiler.ts';
import { Snapshot } from '../../src/snapshot/snapshot.ts';
import { Snapshots } from '../../src/snapshot/snapshots.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { UpstreamRegistry } from '../../src/upstreams/upstream-registry.ts';
import { upstreamSchema } from '../../src/upstreams/upstream.schema.ts';

/** What a test says about a route; the rest is a public proxied route for everything on the path. */
export type TestRoute = Partial<Omit<RouteDefinition, 'match'>> &
  Partial<RouteMatch> & {
    readonly path: string;
    /** How it is forwarded; a route without an upstream is answered by nobody. */
    readonly rewrite?: ForwardDefinition['rewrite'];
  };

/** Makes a definition; its id is the path unless it says otherwise. */
export function defineRoute(route: TestRoute): RouteDefinition {
  const { path, methods, hosts, headers, query, cookies, rewrite, ...rest } = route;
  const action: ForwardDefinition = { kind: 'forward', rewrite };
  return {
    ...(rest.upstream === undefined || rest.door === 'handler' ? {} : { action }),
    id: path,
    door: 'proxy',
    origin: `gateway.yaml:${rest.id ?? path}`,
    policies: [{ authentication: 'public' }],
    ...rest,
    match: { path, methods: methods ?? [], hosts: hosts ?? [], headers: headers ?? {}, query, cookies },
  };
}

/** Makes a compiler that knows the HTTP upstream `users` and the gRPC upstream `orders`. */
export function createCompiler(
  factories: readonly StageFactory[] = [],
  deps: Partial<CompilerDeps> = {},
): RouteCompiler {
  const metrics = new Metrics();
  const upstreams = {
    users: upstreamSchema.parse({ targets: ['http://127.0.0.1:1'] }),
    orders: upstreamSchema.parse({ protocol: 'grpc', targets: ['grpc://127.0.0.1:1'] }),
  };
  return new RouteCompiler({
    factories,
    defaults: {},
    upstreamPolicies: {},
    upstreams: new UpstreamRegistry(upstreams, pino({ level: 'silent' }), metrics),
    metrics,
    actions: [forwardKindOf(metrics)],
    ...deps,
  });
}

/** Rollouts of a process without Redis. */
export function rolloutsOf(metrics: Metrics): Rollouts {
  return new Rollouts(undefined, undefined, new PubSub(undefined), pino({ level: 'silent' }), metrics);
}

/** The kind of routes that are forwarded, with nothing that others share. */
export function forwardKindOf(metrics: Metrics): ForwardKind {
  const mirrors = new Mirrors(pino({ level: 'silent' }), metrics);
  return new ForwardKind(metrics, new ForwardedSockets({} as never, metrics), rolloutsOf(metrics), mirrors);
}

/** A snapshot of routes that are compiled already, in force, and reloads that have happened to nobody. */
export function snapshotsOf(routes: readonly Route[]): { snapshots: Snapshots; reloads: Reloads } {
  const metrics = new Metrics();
  const logger = pino({ level: 'silent' });
  const source = readConfig(gatewaySchema, 'version: 1', 'gateway.yaml', {});
  const nothing = (): void => undefined;
  const snapshot = new Snapshot({
    source,
    table: new RouteTable(routes),
    upstreams: new UpstreamRegistry({}, logger, metrics),
    edge: NO_EDGE,
    begin: nothing,
    retire: nothing,
    end: nothing,
  });
  const snapshots = new Snapshots(snapshot);
  const deps = {
    logger,
    metrics,
    actions: [],
    factories: [],
    controllers: [],
  };
  const compiler = new SnapshotCompiler({
    ...deps,
    definitions: () => [],
    identity: undefined,
    compileEdge: () => NO_EDGE,
  });
  return { snapshots, reloads: new Reloads({ snapshots, compiler, actions: [], logger, metrics }) };
}

/** Compiles routes without stages; whoever compiles thousands of tables gives one compiler for all. */
export function compileRoutes(routes: readonly TestRoute[], compiler = createCompiler()): Route[] {
  return routes.map((route) => compiler.compile(defineRoute(route)));
}
