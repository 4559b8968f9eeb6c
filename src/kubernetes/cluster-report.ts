import type { FollowedCluster } from '../snapshot/followed-cluster.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { WatchPlace } from './cluster-feeds.ts';
import { ClusterMetrics, type WriteOutcome } from './cluster-metrics.ts';
import { remarkText, type Remark } from './translate/remark.ts';

const LOOK_MS = 30_000;

/** What a report is made with. */
export interface ClusterReportDeps {
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'registry' | 'changes'>;
  readonly read: () => FollowedCluster;
}

/** Tells operators how the cluster is followed: by lines of the log, metrics and the time line of changes. */
export class ClusterReport {
  readonly #deps: ClusterReportDeps;
  readonly #metrics: ClusterMetrics;
  readonly #look: NodeJS.Timeout;
  #told: ReadonlySet<string> = new Set();

  constructor(deps: ClusterReportDeps) {
    this.#deps = deps;
    this.#metrics = new ClusterMetrics(deps.metrics.registry, deps.read);
    this.#look = setInterval(() => this.#warnOfAge(), LOOK_MS).unref();
  }

  /** A question about a kind told nothing. */
  failed({ kind, title }: WatchPlace, why: string): void {
    this.#metrics.failed(kind);
    this.#deps.logger.warn({ what: title, why }, 'the cluster cannot be followed');
  }

  /** A kind that was served is not installed any more. */
  lost({ kind, title }: WatchPlace, objects: number): void {
    this.#metrics.lost(kind);
    this.#deps.logger.error(
      { what: title, objects },
      'the cluster has a kind no more: its objects are out of force',
    );
    this.#deps.metrics.changes.note({ kind: 'discovery', text: `the cluster has no ${title} any more` });
  }

  /** It is installed again, or has come. */
  found({ title }: WatchPlace): void {
    this.#deps.logger.info({ what: title }, 'the cluster has a kind that it did not have');
  }

  /** What became of writing a status. */
  wrote(outcome: WriteOutcome): void {
    this.#metrics.wrote(outcome);
  }

  /** Tells what is wrong with objects that cannot say it themselves: each remark once, for as long as it holds. */
  remark(remarks: readonly Remark[]): void {
    const texts = new Set(remarks.map(remarkText));
    for (const remark of texts)
      if (!this.#told.has(remark))
        this.#deps.logger.warn({ remark }, 'an object of the cluster is not served as it says');
    this.#told = texts;
  }

  /** Stops looking. */
  close(): void {
    clearInterval(this.#look);
  }

  #warnOfAge(): void {
    for (const { title, ageMs, state, why } of this.#deps.read().watches)
      if (state === 'stale')
        this.#deps.logger.warn(
          { what: title, ageMs: Math.round(ageMs), why },
          'the cluster has not been heard for long; what is known stays in force',
        );
  }
}
