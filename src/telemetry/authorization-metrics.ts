import type { Registry } from 'prom-client';
import { LabelCounter } from './label-counter.ts';

/** The metrics of decisions about who may call what. */
export class AuthorizationMetrics {
  readonly #shadowDenied: LabelCounter;
  readonly #asked: LabelCounter;

  constructor(registry: Registry) {
    this.#shadowDenied = new LabelCounter(
      {
        name: 'gatehouse_authorization_shadow_denied_total',
        help: 'Requests that an authorization in shadow mode would have refused, by what it would have been.',
        labels: ['route', 'by'],
      },
      registry,
    );
    this.#asked = new LabelCounter(
      {
        name: 'gatehouse_external_authorizations_total',
        help: 'Requests that somebody outside was asked about, by what came of it, and by whether the answer was kept.',
        labels: ['route', 'outcome', 'how'],
      },
      registry,
    );
  }

  /** Counts a request that passed because what would have refused it is only tried out. */
  shadowDenied(route: string, by: string): void {
    this.#shadowDenied.count(route, by);
  }

  /** Counts a request that somebody outside was asked about, or that a kept answer was taken for. */
  askedOutside(route: string, outcome: 'allowed' | 'denied' | 'fault', how: 'asked' | 'kept'): void {
    this.#asked.count(route, outcome, how);
  }

  /** Shows nothing more of routes that are gone. */
  forget(routes: ReadonlySet<string>): void {
    this.#shadowDenied.forget(routes);
    this.#asked.forget(routes);
  }
}
