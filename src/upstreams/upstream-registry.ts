import { isDeepStrictEqual } from 'node:util';
import type { Exchange } from '../exchange/exchange.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ShownCap } from '../telemetry/overload-metrics.ts';
import { targetMaker } from './create-target.ts';
import { Discoveries, type SourceUse } from './discovery/discoveries.ts';
import type { DiscoveryView } from './discovery/discovery-view.ts';
import type { HintChannel } from './health/breaker-hints.ts';
import { Watches } from './health/watches.ts';
import type { IdentityMaker } from './identity/load-identities.ts';
import { TargetOverrides } from './overrides/target-overrides.ts';
import { targetSet, type TargetMaker } from './target-set.ts';
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
  readonly #files: UpstreamFiles;
  readonly #watches: Watches;
  readonly #discoveries: Discoveries;
  /** What operators have ordered of targets, over all configurations. */
  readonly overrides: TargetOverrides;
  readonly #uses = new Map<Upstream, SourceUse>();
  /** Those that were made for this configuration, until it is in force. */
  readonly #made = new Map<Upstream, MadeOf>();
  /** Secrets of those that another configuration has in force. */
  readonly #sessions = new Map<Upstream, readonly string[]>();
  readonly #endings: (() => void)[] = [];
  /** What has changed of targets that go on. */
  readonly #retuned = new Map<Target, TargetOptions>();

  /**
   * @param previous whose targets go on where they are the same; it is not changed.
   * @param files what the configuration names, and where it is.
   */
  constructor(
    options: Readonly<Record<string, UpstreamOptions>>,
    logger: Logger,
    metrics: Metrics,
    previous?: UpstreamRegistry,
    files: UpstreamFiles = NO_FILES,
  ) {
    this.#files = files;
    this.#watches = previous === undefined ? new Watches(logger, metrics) : previous.#watches;
    this.#discoveries = previous === undefined ? new Discoveries(logger, metrics) : previous.#discoveries;
    this.overrides = previous === undefined ? new TargetOverrides(logger, metrics) : previous.overrides;
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

  /** Puts into force what has changed of targets that go on, and begins to discover. Until then the predecessor is as it was. */
  activate(): void {
    for (const [target, options] of this.#retuned) target.retune(options);
    this.#retuned.clear();
    this.#metrics.overload.showCaps(() => this.all().flatMap(capOf));
    // Before those that are discovered begin by themselves.
    this.#watches.begin(this.all().flatMap(({ targets }) => targets.map(({ health }) => health)));
    for (const [upstream, { source, seed }] of this.#uses) {
      this.#endings.push(source.subscribe((targets) => upstream.replace(targets)));
      // It is made between turns of the loop: what was published meanwhile is not published again.
      const made = this.#made.get(upstream);
      if (made?.previous !== undefined) seed(made.previous);
      if (made !== undefined && made.wanted !== source.targets)
        upstream.replace(source.targets, made.previous?.targets);
      source.start();
    }
    for (const upstream of this.#made.keys()) upstream.begin();
    this.#made.clear();
    for (const [upstream, secrets] of this.#sessions) upstream.keepSessions(secrets);
    this.#sessions.clear();
  }

  /** How the sources of targets are, those of configurations included that exchanges still hold. */
  get discovered(): readonly DiscoveryView[] {
    return this.#discoveries.describe();
  }

  /** The upstreams whose first targets are worth waiting for: their source has not answered yet, and is not overdue. */
  get awaited(): readonly string[] {
    return [...this.#uses].filter(([, { source }]) => source.isAwaited).map(([{ name }]) => name);
  }

  /** Has clients stay with their targets by cookies, where upstreams say so. @param secrets by upstream. */
  keepSessions(secrets: ReadonlyMap<string, readonly string[]>): void {
    for (const [name, some] of secrets) {
      const upstream = this.get(name);
      // One that goes on serves meanwhile, by the secrets in force; and the configuration may never come into force.
      if (this.#made.has(upstream)) upstream.keepSessions(some);
      else this.#sessions.set(upstream, some);
    }
  }

  /** Shares what breakers do with other replicas, from {@link activate} on. */
  shareOver(channel: HintChannel | undefined): void {
    this.#watches.shareOver(channel);
  }

  /** Lets all targets go: those that nobody else holds end after their last call. */
  release(): void {
    this.#endDiscovery();
    for (const upstream of this.#upstreams.values()) upstream.release();
  }

  /** Ends breakers and connections; calls under way are cut. */
  async close(): Promise<void> {
    this.#endDiscovery();
    const targets = this.all().flatMap((upstream) => upstream.targets);
    await Promise.all(targets.map((target) => target.destroy()));
  }

  #upstreamOf(name: string, options: UpstreamOptions, previous: Upstream | undefined): Upstream {
    const { discovery } = options;
    const { folder, tls } = this.#files;
    const maker = targetMaker(name, options, [
      this.#logger,
      this.#metrics,
      tls.get(name),
      this.#watches,
      this.overrides,
    ]);
    const use =
      discovery && this.#discoveries.use(name, { ...options, discovery }, { folder, before: previous });
    const wanted = this.#files.identities?.get(name);
    const isSame =
      previous?.maker?.shared === maker.shared &&
      isDeepStrictEqual(previous.options, options) &&
      previous.identity?.digest === wanted?.digest;
    const upstream = isSame ? previous : this.#make({ name, options, maker, previous, use });
    if (upstream !== previous)
      // One that says the same goes on with all the tokens that it has.
      upstream.identity = previous?.identity?.digest === wanted?.digest ? previous?.identity : wanted?.make();
    if (use !== undefined) this.#uses.set(upstream, use);
    return upstream;
  }

  #make({ name, options, maker, previous, use }: Making): Upstream {
    const wanted = use?.source.targets ?? options.targets;
    const { targets, kept } = targetSet(previous?.targets ?? [], wanted, maker);
    for (const [target, retuned] of kept) this.#retuned.set(target, retuned);
    const made = new Upstream(name, options, targets, previous, maker);
    this.#made.set(made, { wanted, previous });
    return made;
  }

  #endDiscovery(): void {
    for (const end of this.#endings.splice(0)) end();
    for (const use of this.#uses.values()) use.release();
    this.#uses.clear();
  }
}

/** What a configuration names, and where it is. */
export interface UpstreamFiles {
  /** By upstream, for those that say something about TLS. */
  readonly tls: ReadonlyMap<string, UpstreamTls>;
  /** That relative names of files start from: the one of the configuration file. */
  readonly folder: string;
  /** What services learn of callers; by upstream, for those that say something about it. Default none. */
  readonly identities?: ReadonlyMap<string, IdentityMaker> | undefined;
}

/** What an upstream was made of. */
interface MadeOf {
  /** The targets that were known. */
  readonly wanted: readonly TargetOptions[];
  readonly previous: Upstream | undefined;
}

interface Making {
  readonly name: string;
  readonly options: UpstreamOptions;
  readonly maker: TargetMaker;
  readonly previous: Upstream | undefined;
  readonly use: SourceUse | undefined;
}

const NO_FILES: UpstreamFiles = { tls: new Map(), folder: '.' };

function capOf({ name, options: { maxInFlight }, calls }: Upstream): ShownCap[] {
  return maxInFlight === undefined ? [] : [{ upstream: name, inFlight: calls.count, most: maxInFlight }];
}
