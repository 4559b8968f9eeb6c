import { toBinary, type FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { ConfigFault } from '../config/config-fault.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { GrpcChannels } from '../upstreams/grpc/grpc-channel.ts';
import { reflect } from '../upstreams/grpc/transcoding/reflection-client.ts';
import { ReflectionReport } from './reflection-report.ts';
import { RouteFault } from './route-compiler.ts';
import { tableFaults } from './route-faults.ts';
import type { RouteTable } from './route-table.ts';
import type { Route, RouteDefinition } from './route.ts';
import { definitionsFrom, isGrpcRoute, type GrpcRouteConfig } from './sources/grpc.route-source.ts';
import { FaultPlaces } from './fault-places.ts';
import { compileAll, type TableParts } from './table-builder.ts';

/** How soon an upstream is asked again that has never answered. */
const FIRST_RETRY_MS = 2000;

/** What keeping routes fresh needs. */
export interface ReflectedParts extends Omit<TableParts, 'controllers' | 'definitions'> {
  readonly table: RouteTable;
  readonly channels: GrpcChannels;
  readonly logger: Logger;
}

/** One route whose methods its upstream tells. */
interface Watched {
  readonly route: GrpcRouteConfig;
  readonly origin: string;
  readonly refreshMs: number;
  readonly report: ReflectionReport;
  /** What the upstream has told. */
  known: FileRegistry | undefined;
  digest: string;
}

/**
 * Keeps the routes fresh whose methods come from server reflection: asks once the gateway starts, and then at
 * the interval of the upstream. Only what changed is compiled, and swapped in at once; an upstream that does not
 * answer, or answers something that cannot be used, leaves what there is.
 */
export class ReflectedRoutes {
  readonly #parts: ReflectedParts;
  readonly #watched: readonly Watched[];
  readonly #timers = new Map<Watched, NodeJS.Timeout>();
  #stopped = false;

  constructor(parts: ReflectedParts) {
    this.#parts = parts;
    this.#watched = watchedOf(parts);
  }

  /**
   * Takes over what was learned before a reload; it holds until it is asked for again.
   *
   * @returns what it does not go with.
   */
  adopt(previous: ReflectedRoutes): readonly ConfigFault[] {
    const faults: ConfigFault[] = [];
    for (const watched of this.#watched) {
      const before = previous.#watched.find(({ route }) => isDeepStrictEqual(route, watched.route));
      if (before?.known === undefined) continue;
      try {
        this.#take(watched, before.known);
      } catch (error) {
        if (!(error instanceof RouteFault)) throw error;
        faults.push(new FaultPlaces(this.#parts.source).place(error));
      }
    }
    return faults;
  }

  /** Begins to ask; does nothing when no route comes from reflection. */
  start(): void {
    for (const watched of this.#watched) void this.#ask(watched);
  }

  /** Asks no more. */
  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  async #ask(watched: Watched): Promise<void> {
    const { upstreams, channels } = this.#parts;
    const { route, report } = watched;
    let target: string | undefined;
    try {
      const upstream = upstreams.get(route.upstream);
      const lease = upstream.lease();
      target = lease.target.host;
      const { maxConnections } = upstream.options;
      const registry = await reflect(lease, { channels, maxConnections }, route.grpc.service);
      if (this.#stopped) return;
      this.#take(watched, registry);
      report.worked(target);
    } catch (error) {
      // What ends because the gateway does is no failure.
      if (this.#stopped) return;
      report.failed(target, error);
    }
    const known = watched.digest !== '';
    const waitMs = known ? watched.refreshMs : Math.min(FIRST_RETRY_MS, watched.refreshMs);
    const timer = setTimeout(() => void this.#ask(watched), waitMs);
    this.#timers.set(watched, timer.unref());
  }

  #take(watched: Watched, registry: FileRegistry): void {
    const digest = digestOf(registry);
    if (digest === watched.digest) return;
    const { table, logger } = this.#parts;
    const { route, origin } = watched;
    const definitions = definitionsFrom(route, origin, registry);
    const fresh = this.#compile(definitions);
    const others = table.routes.filter((one) => one.origin !== origin || one.door !== 'proxy');
    const all = [...others, ...fresh];
    const fault = tableFaults(all, (one) => definitionFor(one, definitions))[0];
    if (fault !== undefined) throw fault;
    table.replace(all);
    watched.digest = digest;
    watched.known = registry;
    logger.info({ route: route.id, methods: definitions.length }, 'routes learned by server reflection');
  }

  #compile(definitions: readonly RouteDefinition[]): readonly Route[] {
    const { routes, faults } = compileAll(definitions, this.#parts);
    const fault = faults[0];
    if (fault !== undefined) throw fault;
    return routes;
  }
}

function watchedOf({ source, logger }: ReflectedParts): readonly Watched[] {
  const places = new FaultPlaces(source);
  return source.value.routes.flatMap((route, index) => {
    const refreshMs = isGrpcRoute(route) && source.value.upstreams[route.upstream]?.reflection?.refresh;
    if (!isGrpcRoute(route) || typeof refreshMs !== 'number') return [];
    const report = new ReflectionReport({ route: route.id, upstream: route.upstream }, logger);
    const origin = places.originOf(index);
    return [{ route, origin, refreshMs, report, known: undefined, digest: '' }];
  });
}

// A fault of a route that was there before is one of the newcomers' making.
function definitionFor(route: Route, definitions: readonly RouteDefinition[]): RouteDefinition {
  const own = definitions.find((one) => one.id === route.id && one.origin === route.origin);
  return own ?? { ...route, rewrite: undefined, policies: [] };
}

function digestOf(registry: FileRegistry): string {
  const hash = createHash('sha256');
  for (const file of [...registry.files].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    hash.update(toBinary(FileDescriptorProtoSchema, file.proto));
  }
  return hash.digest('base64');
}
