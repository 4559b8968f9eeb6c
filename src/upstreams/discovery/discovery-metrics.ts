import type { Registry } from 'prom-client';
import { LabelCounter } from '../../telemetry/label-counter.ts';
import { ReadGauge, type ShowSeries } from '../../telemetry/read-gauge.ts';
import type { DiscoveryView } from './discovery-view.ts';

const STATES: Readonly<Record<DiscoveryView['state'], number>> = {
  healthy: 0,
  starting: 1,
  held: 2,
  failing: 3,
  stale: 4,
};

/** What is counted of the sources of targets. */
export class DiscoveryMetrics {
  readonly #errors: LabelCounter;

  /** @param sources those that there are at a scrape. */
  constructor(registry: Registry, sources: () => Iterable<DiscoveryView>) {
    this.#errors = new LabelCounter(
      {
        name: 'gatehouse_discovery_errors_total',
        help: 'Questions to a source of targets that told nothing.',
        labels: ['upstream', 'source'],
      },
      registry,
    );
    gauge(registry, 'age_seconds', 'Time since the last answer of a source of targets.', (show) => {
      for (const { upstream, source, ageMs } of sources())
        if (ageMs !== undefined) show(ageMs / 1000, upstream, source);
    });
    gauge(
      registry,
      'state',
      'State of a source of targets: 0 healthy, 1 starting, 2 held, 3 failing, 4 stale.',
      (show) => {
        for (const { upstream, source, state } of sources()) show(STATES[state], upstream, source);
      },
    );
    gauge(registry, 'targets', 'Targets of an upstream that were discovered and are in use.', (show) => {
      for (const { upstream, source, targets } of sources()) show(targets.length, upstream, source);
    });
    gauge(
      registry,
      'entries',
      'Entries of the last answer of a source of targets, by what became of them.',
      (show) => {
        for (const { upstream, source, accepted, skipped } of sources()) {
          show(accepted, upstream, source, 'accepted');
          show(skipped, upstream, source, 'skipped');
        }
      },
      ['outcome'],
    );
  }

  /** Counts a question that told nothing. */
  failed(upstream: string, source: string): void {
    this.#errors.count(upstream, source);
  }

  /** Shows nothing more of an upstream. */
  forget(upstream: string): void {
    this.#errors.forget(new Set([upstream]));
  }
}

function gauge(
  registry: Registry,
  name: string,
  help: string,
  each: (show: ShowSeries) => void,
  more: readonly string[] = [],
): void {
  const labels = ['upstream', 'source', ...more];
  new ReadGauge({ name: `gatehouse_discovery_${name}`, help, labels, fold: 0 }, registry, each);
}
