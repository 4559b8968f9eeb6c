import { isDeepStrictEqual } from 'node:util';
import type { Exchange } from '../exchange/exchange.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { targetMaker } from './create-target.ts';
import { targetSet } from './target-set.ts';
import type { Target } from './target.ts';
import type { TargetOptions, UpstreamOptions } from './upstream.schema.ts';
import type { UpstreamTls } from './tls-files.ts';
import { Upstream } from './upstream.ts';
import type { Upstreams } from './upstreams.ts';

/**
 * The upstreams of one configuration. It holds their targets; one that is made from a predecessor goes on with what did
 * not change: connections, breakers, counters.
 */
export class UpstreamRegistry implements Upstreams {
  readonly #upstreams = new Map<string, Upstream>();
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #tls: ReadonlyMap<string, UpstreamTls>;
  /** What has changed of targets that go on. */
  readonly #retuned = new Map<Target, TargetOptions>();

  /**
   * @param previous whose targets go on where they are the same; it is not changed.
   * @param tls by upstream, for those that say something about it.
   */
  constructor(
    options: Readonly<Record<string, UpstreamOptions>>,
    logger: Logger,
    metrics: Metrics,
    previous?: UpstreamRegistry,
    tls: ReadonlyMap<string, UpstreamTls> = NO_TLS,
  ) {
    this.#tls = tls;
    this.#logger = logger;
    this.#metrics = metrics;
    for (const [name, one] of Object.entries(options)) {
      const upstream = this.#upstreamOf(name, one, previous?.find(name));
      this.#upstreams.set(name, upstream);
      upstream.hold();
    }
  }

  /** @throws {Error} when there is no upstream of that name; the compiler has checked every route. */
  get(name: string): Upstream {
    const upstream = this.#upstreams.get(name);
    if (upstream === undefined) throw new Error(`there is no upstream "${name}"`);
    return upstream;
  }

  /** The same for every exchange. */
  of(_exchange: Exchange, name: string): Upstream {
    return this.get(name);
  }

  /** The upstream of that name, if there is one. */
  find(name: string): Upstream | undefined {
    return this.#upstreams.get(name);
  }

  /** Whether there is an upstream of that name. */
  has(name: string): boolean {
    return this.#upstreams.has(name);
  }

  /** All upstreams, in the order of the configuration. */
  all(): readonly Upstream[] {
    return [...this.#upstreams.values()];
  }

  /** Puts into force what has changed of targets that go on. Until then the predecessor is as it was. */
  activate(): void {
    for (const [target, options] of this.#retuned) target.retune(options);
    this.#retuned.clear();
  }

  /** Lets all targets go: those that nobody else holds end after their last call. */
  release(): void {
    for (const upstream of this.#upstreams.values()) upstream.release();
  }

  /** Ends breakers and connections; calls under way are cut. */
  async close(): Promise<void> {
    const targets = this.all().flatMap((upstream) => upstream.targets);
    await Promise.all(targets.map((target) => target.destroy()));
  }

  #upstreamOf(name: string, options: UpstreamOptions, previous: Upstream | undefined): Upstream {
    const maker = targetMaker(name, options, [this.#logger, this.#metrics, this.#tls.get(name)]);
    const isSame = previous?.maker?.shared === maker.shared && isDeepStrictEqual(previous.options, options);
    if (isSame) return previous;
    const { targets, kept } = targetSet(previous?.targets ?? [], options.targets, maker);
    for (const [target, retuned] of kept) this.#retuned.set(target, retuned);
    return new Upstream(name, options, targets, previous, maker);
  }
}

const NO_TLS: ReadonlyMap<string, UpstreamTls> = new Map();
