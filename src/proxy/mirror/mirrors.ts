import { Inject, Injectable } from '@nestjs/common';
import { LabelCounter } from '../../telemetry/label-counter.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { LOGGER } from '../../telemetry/telemetry.module.ts';
import { MirrorTally } from './mirror-tally.ts';

/** What the mirrors of one process count; outlives configurations. */
@Injectable()
export class Mirrors {
  readonly #tallies = new Map<string, MirrorTally>();
  readonly #logger: Logger;
  readonly #requests: LabelCounter;
  readonly #comparisons: LabelCounter;
  readonly #differences: LabelCounter;

  constructor(@Inject(LOGGER) logger: Logger, metrics: Metrics) {
    const { registry } = metrics;
    const counter = (name: string, help: string, label: string): LabelCounter =>
      new LabelCounter({ name: `gatehouse_mirror_${name}_total`, help, labels: ['route', label] }, registry);
    this.#logger = logger;
    this.#requests = counter(
      'requests',
      'Requests chosen to be mirrored, by what became of that.',
      'outcome',
    );
    this.#comparisons = counter(
      'comparisons',
      'Comparisons of the answers of a route with mirrored ones: same, different, or skipped.',
      'result',
    );
    this.#differences = counter(
      'differences',
      'Mirrored answers that differ from those of their route, by how.',
      'kind',
    );
    metrics.onRoutesForgotten((ids) => {
      for (const one of [this.#requests, this.#comparisons, this.#differences]) one.forget(ids);
      for (const id of ids) this.#tallies.delete(id);
    });
  }

  /** That of a route: one for each id, so that what is under way counts on after a reload. */
  tallyOf(route: string): MirrorTally {
    let tally = this.#tallies.get(route);
    if (tally === undefined) {
      tally = new MirrorTally({
        counted: (outcome) => this.#requests.count(route, outcome),
        compared: (result) => this.#comparisons.count(route, result),
        differed: (kind) => this.#differences.count(route, kind),
        sampled: (kind, { id, paths, statuses }) =>
          this.#logger.warn(
            { route, requestId: id, kind, paths, statuses },
            `a mirrored answer of ${route} differs: ${kind}`,
          ),
      });
      this.#tallies.set(route, tally);
    }
    return tally;
  }
}
