import type { Registry } from 'prom-client';
import { DurationHistogram } from './duration-histogram.ts';
import { LabelCounter } from './label-counter.ts';
import { ReadGauge } from './read-gauge.ts';

const BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Requests of clients, by route. */
export class TrafficMetrics {
  /** Requests that have begun and whose answer has not ended. */
  inFlight = 0;
  readonly duration: DurationHistogram;
  readonly requests: LabelCounter;
  readonly bytes: LabelCounter;
  readonly #problems: LabelCounter;

  constructor(registry: Registry) {
    this.duration = new DurationHistogram(
      {
        name: 'gatehouse_request_duration_seconds',
        help: 'Time from the first byte of a request to the last byte of its answer.',
        labels: ['route', 'method', 'status'],
        bounds: BUCKETS_SECONDS,
      },
      registry,
    );
    this.requests = new LabelCounter(
      {
        name: 'gatehouse_requests_total',
        help: 'Requests, by the code of their answer: 499 for those whose client went away.',
        labels: ['route', 'method', 'code'],
      },
      registry,
    );
    this.bytes = new LabelCounter(
      {
        name: 'gatehouse_response_bytes_total',
        help: 'Bytes of the bodies of answers, as they were sent.',
        labels: ['route'],
      },
      registry,
    );
    this.#problems = new LabelCounter(
      {
        name: 'gatehouse_problems_total',
        help: 'Requests that the gateway itself has refused or failed, by what has said no and by the code of the problem.',
        labels: ['route', 'stage', 'code'],
      },
      registry,
    );
    new ReadGauge(
      {
        name: 'gatehouse_requests_in_flight',
        help: 'Requests that have begun and whose answer has not ended, streams and sockets included.',
      },
      registry,
      (show) => show(this.inFlight),
    );
  }

  /** Counts a request that was answered with a problem of ours. */
  refused(route: string, stage: string, code: string): void {
    this.#problems.count(route, stage, code);
  }

  /** Shows nothing more of routes that are gone. */
  forget(routes: ReadonlySet<string>): void {
    this.duration.forget('route', routes);
    for (const counter of [this.requests, this.bytes, this.#problems]) counter.forget(routes);
  }
}
