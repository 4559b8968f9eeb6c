import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Target } from '../target.ts';
import type { TargetOptions } from '../target.schema.ts';
import type { Upstream } from '../upstream.ts';
import type { UpstreamOptions } from '../upstream.schema.ts';
import { schemeOf, type DiscoveryOptions } from './discovery.schema.ts';
import { DiscoveryMetrics } from './discovery-metrics.ts';
import type { DiscoveryView } from './discovery-view.ts';
import { LastKnownFile } from './last-known-file.ts';
import { createSource, describeSource } from './sources.ts';
import { SupervisedSource } from './supervised-source.ts';

interface Running {
  readonly source: SupervisedSource;
  /** What it was made of. */
  readonly made: unknown;
  /** Configurations that have it. */
  users: number;
}

/** One use of a source by an upstream of one configuration. */
export interface SourceUse {
  readonly source: SupervisedSource;
  /** Begins with the targets of an upstream whose place this one takes, unless it is asked already. */
  seed(before: Upstream): void;
  /** Ends it: a source that nobody uses any more stops. */
  release(): void;
}

/**
 * The sources of targets of a gateway, beyond single configurations: one whose options stay the same goes on through
 * reloads with all that it knows, and ends with the last configuration that has it.
 */
export class Discoveries {
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  /** Where nothing is discovered, there is nothing to show. */
  #shown: DiscoveryMetrics | undefined = undefined;
  readonly #running = new Set<Running>();

  constructor(logger: Logger, metrics: Metrics) {
    this.#logger = logger;
    this.#metrics = metrics;
  }

  /**
   * The source of an upstream, which is not asked before it is started.
   *
   * @param before the upstream whose place it takes: its targets are in use until the source answers.
   */
  use(
    name: string,
    options: UpstreamOptions & { readonly discovery: DiscoveryOptions },
    { folder, before }: { readonly folder: string; readonly before: Upstream | undefined },
  ): SourceUse {
    const { discovery, protocol, tls } = options;
    const made = { name, discovery, protocol, tls, folder };
    let running = [...this.#running].find((one) => isDeepStrictEqual(one.made, made));
    if (running === undefined) {
      const source = this.#create(name, options, folder);
      running = { source, made, users: 0 };
      const kept = this.#keep(source, options, folder);
      source.seed(before === undefined ? kept() : stillFitting(before.targets, schemesOf(options)));
      this.#running.add(running);
    }
    running.users += 1;
    const used = running;
    const seed = ({ targets }: Upstream): void => {
      if (!used.source.hasStarted) used.source.seed(stillFitting(targets, schemesOf(options)));
    };
    return { source: used.source, seed, release: () => this.#released(used, name) };
  }

  /** How all of them are, by upstream. */
  describe(): readonly DiscoveryView[] {
    // While a reload changes a source, both are there: the new one counts, once it is in force.
    const all = [...this.#running].map(({ source }) => source);
    const views = all
      .toSorted((one, other) => Number(one.hasStarted) - Number(other.hasStarted))
      .map((source) => source.describe());
    return [...new Map(views.map((view) => [`${view.upstream}\n${view.source}`, view])).values()].sort(
      (a, b) => (a.upstream < b.upstream ? -1 : Number(a.upstream > b.upstream)),
    );
  }

  #create(name: string, options: UpstreamOptions & { readonly discovery: DiscoveryOptions }, folder: string) {
    const { discovery } = options;
    const what = describeSource(discovery);
    const shown = (this.#shown ??= new DiscoveryMetrics(this.#metrics.registry, () => this.describe()));
    return new SupervisedSource(createSource(discovery, options, { folder }), {
      upstream: name,
      what,
      emptyGraceMs: discovery.emptyGrace,
      maxStaleMs: discovery.maxStale,
      firstAnswerMs: discovery.firstAnswer,
      logger: this.#logger,
      onError: () => shown.failed(name, what),
      onChange: (added, removed) => {
        const text = [listed('new', added), listed('gone', removed)].filter(Boolean).join('; ');
        const change = text === '' ? 'targets have other weights, zones or labels' : text;
        this.#metrics.changes.note({ kind: 'discovery', upstream: name, text: `${what}: ${change}` });
      },
    });
  }

  /** Keeps what is known in a file, where that is wanted. @returns what reads what was kept. */
  #keep(
    source: SupervisedSource,
    options: UpstreamOptions & { readonly discovery: DiscoveryOptions },
    folder: string,
  ): () => readonly TargetOptions[] {
    const { lastKnown } = options.discovery;
    if (lastKnown === undefined) return () => [];
    const { upstream, what } = source.options;
    const [path, schemes] = [resolve(folder, lastKnown), schemesOf(options)];
    const file = new LastKnownFile({ path, upstream, source: what, schemes, logger: this.#logger });
    source.subscribe((targets) => file.write(targets));
    return () => file.read();
  }

  #released(running: Running, name: string): void {
    running.users -= 1;
    if (running.users > 0) return;
    this.#running.delete(running);
    running.source.stop();
    if (![...this.#running].some(({ source }) => source.options.upstream === name)) this.#shown?.forget(name);
  }
}

const MOST_LISTED = 5;

function listed(word: string, urls: readonly string[]): string {
  if (urls.length === 0) return '';
  const more = urls.length > MOST_LISTED ? ` and ${urls.length - MOST_LISTED} more` : '';
  return `${word} ${urls.slice(0, MOST_LISTED).join(', ')}${more}`;
}

function schemesOf(options: UpstreamOptions & { readonly discovery: DiscoveryOptions }): readonly string[] {
  if (options.discovery.file === undefined) return [schemeOf(options.discovery, options)];
  return options.protocol === 'grpc' ? ['grpc', 'grpcs'] : ['http', 'https'];
}

function stillFitting(targets: readonly Target[], schemes: readonly string[]): readonly TargetOptions[] {
  return targets
    .filter(({ origin }) => schemes.some((scheme) => origin.startsWith(`${scheme}://`)))
    .map(({ origin, configuredWeight: weight, labels, zone, priority, serverName }) => ({
      url: origin,
      weight,
      labels,
      zone,
      priority,
      serverName,
    }));
}
