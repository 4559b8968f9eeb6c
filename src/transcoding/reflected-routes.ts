import { toBinary, type FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { LiveRoutes } from '../routing/route-action.ts';
import type { Logger } from '../telemetry/logger.ts';
import { reflect } from '../upstreams/grpc/descriptors/reflection-client.ts';
import type { GrpcChannels } from '../upstreams/grpc/grpc-channel.ts';
import { ReflectionReport } from './reflection-report.ts';
import { definitionsFrom, isTranslated, type TranslatedRoute } from './translate.source.ts';

/** How soon an upstream is asked again that has never answered. */
const FIRST_RETRY_MS = 2000;

/** What keeping routes fresh needs. */
export interface ReflectedDeps {
  readonly channels: GrpcChannels;
  readonly logger: Logger;
}

/** One route whose methods its upstream tells. */
interface Watched {
  readonly route: TranslatedRoute;
  readonly origin: string;
  readonly refreshMs: number;
  readonly report: ReflectionReport;
  /** What the upstream has told. */
  known: FileRegistry | undefined;
  digest: string;
}

/**
 * Keeps the routes of one configuration fresh whose methods come from server reflection: asks once it is in force, and then at
 * the interval of the upstream. Only what changed is compiled, and swapped in at once; an upstream that does not
 * answer, or answers something that cannot be used, leaves what there is.
 */
export class ReflectedRoutes {
  readonly deps: ReflectedDeps;
  readonly #routes: LiveRoutes;
  readonly #watched: readonly Watched[];
  readonly #timers = new Map<Watched, NodeJS.Timeout>();
  #stopped = false;

  constructor(deps: ReflectedDeps, routes: LiveRoutes) {
    this.deps = deps;
    this.#routes = routes;
    this.#watched = watchedOf(routes, deps.logger);
  }

  /** What was learned before holds until it is asked for again; of a route that the file changes it is forgotten. */
  adopt(previous: ReflectedRoutes): void {
    for (const watched of this.#watched) {
      const before = previous.#watched.find(({ route }) => isDeepStrictEqual(route, watched.route));
      if (before?.known !== undefined) this.#take(watched, before.known);
    }
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
    const { channels } = this.deps;
    const { route, report } = watched;
    let target: string | undefined;
    try {
      const upstream = this.#routes.upstream(route.upstream);
      const lease = upstream.lease(undefined);
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
    const { route, origin } = watched;
    const definitions = definitionsFrom(route, origin, registry);
    this.#routes.replace(origin, definitions);
    watched.digest = digest;
    watched.known = registry;
    this.deps.logger.info(
      { route: route.id, methods: definitions.length },
      'routes learned by server reflection',
    );
  }
}

function watchedOf(routes: LiveRoutes, logger: Logger): readonly Watched[] {
  const { config } = routes;
  return config.routes.flatMap((route, index) => {
    if (!isTranslated(route)) return [];
    const refreshMs = config.upstreams[route.upstream]?.reflection?.refresh;
    if (refreshMs === undefined) return [];
    const report = new ReflectionReport({ route: route.id, upstream: route.upstream }, logger);
    return [{ route, origin: routes.originOf(index), refreshMs, report, known: undefined, digest: '' }];
  });
}

function digestOf(registry: FileRegistry): string {
  const hash = createHash('sha256');
  for (const file of [...registry.files].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    hash.update(toBinary(FileDescriptorProtoSchema, file.proto));
  }
  return hash.digest('base64');
}
