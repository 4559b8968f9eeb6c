import type { Registry } from 'prom-client';
import { LabelCounter } from './label-counter.ts';

/** The metrics of quotas. */
export class QuotaMetrics {
  readonly #decisions: LabelCounter;
  readonly #told: LabelCounter;

  constructor(registry: Registry) {
    this.#decisions = new LabelCounter(
      {
        name: 'gatehouse_quota_decisions_total',
        help: 'Decisions of the quotas of a route, and each quota whose store did not answer.',
        labels: ['route', 'outcome'],
      },
      registry,
    );
    this.#told = new LabelCounter(
      {
        name: 'gatehouse_quota_events_total',
        help: 'Quotas of single callers that were nearly used up, or used up, for the first time in a window.',
        labels: ['quota', 'event'],
      },
      registry,
    );
  }

  /** Counts a decision. */
  decided(route: string, outcome: string): void {
    this.#decisions.count(route, outcome);
  }

  /** Counts an event. */
  told(quota: string, event: string): void {
    this.#told.count(quota, event);
  }

  /** Shows nothing more of routes that are gone. */
  forget(routes: ReadonlySet<string>): void {
    this.#decisions.forget(routes);
  }
}
