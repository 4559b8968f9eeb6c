import { toBinary, type FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { createHash } from 'node:crypto';
import type { LiveRoutes } from '../routing/route-action.ts';
import type { Logger } from '../telemetry/logger.ts';
import { reflect } from '../upstreams/grpc/descriptors/reflection-client.ts';
import type { GrpcChannels } from '../upstreams/grpc/grpc-channel.ts';
import type { UpstreamRegistry } from '../upstreams/upstream-registry.ts';
import { ReflectionReport } from './reflection-report.ts';
import { definitionsFrom, isTranslated, type TranslatedRoute } from './translate.source.ts';

/** How soon an upstream is asked again that has never answered. */
const FIRST_RETRY_MS = 2000;

/** What keeping routes fresh needs. */
export interface ReflectedParts {
  readonly upstreams: UpstreamRegistry;
  readonly channels: GrpcChannels;
  readonly logger: Logger;
}

/** One route whose methods its upstream tells. */
interface Watched {
  readonly route: TranslatedRoute;
  readonly origin: string;
  readonly refreshMs: number;
  readonly report: ReflectionReport;
  readonly routes: LiveRoutes;
  digest: string;
}

/**
 * Keeps the routes fresh whose methods come from server reflection: asks once the gateway starts, and then at
 * the interval of the upstream. Only what changed is compiled, and swapped in at once; an upstream that does not
 * answer, or answers something that cannot be used, leaves what there is.
 */
export class ReflectedRoutes {
  readonly #parts: ReflectedParts;
  readonly #timers = new Map<Watched, NodeJS.Timeout>();
  #stopped = false;

  constructor(parts: ReflectedParts) {
    this.#parts = parts;
  }

  /** Begins to ask; does nothing when no route comes from reflection. */
  start(routes: LiveRoutes): void {
    const { config } = routes;
    const { logger } = this.#parts;
    config.routes.forEach((route, index) => {
      if (!isTranslated(route)) return;
      const refreshMs = config.upstreams[route.upstream]?.reflection?.refresh;
      if (refreshMs === undefined) return;
      const report = new ReflectionReport({ route: route.id, upstream: route.upstream }, logger);
      const origin = routes.originOf(index);
      void this.#ask({ route, origin, refreshMs, report, routes, digest: '' });
    });
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
    const { route, origin } = watched;
    const definitions = definitionsFrom(route, origin, registry);
    watched.routes.replace(origin, definitions);
    watched.digest = digest;
    this.#parts.logger.info(
      { route: route.id, methods: definitions.length },
      'routes learned by server reflection',
    );
  }
}

function digestOf(registry: FileRegistry): string {
  const hash = createHash('sha256');
  for (const file of [...registry.files].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    hash.update(toBinary(FileDescriptorProtoSchema, file.proto));
  }
  return hash.digest('base64');
}
