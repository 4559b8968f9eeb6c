import { Gauge } from 'prom-client';
import { partitionOf, type Principal } from '../../exchange/principal.ts';
import { LabelCounter } from '../../telemetry/label-counter.ts';
import type { Metrics } from '../../telemetry/metrics.ts';

/** So many callers of a version are counted by name; the rest together. */
const MAX_NAMED = 100;
/** So many of them are told apart. */
const MAX_DISTINCT = 10_000;
const MAX_NAME_LENGTH = 128;

/** Who of a version calls. Outlives configurations, so that a reload makes no further names. */
interface Callers {
  readonly distinct: Set<string>;
  readonly named: Set<string>;
}

/**
 * Counts who still calls what is deprecated. Names come from credentials, of which there can be any number: the first 100 of
 * a version have a series of their own, all others one called `other`; nobody is `none`.
 */
export class CallerCounts {
  readonly #requests: LabelCounter;
  readonly #principals: Gauge<'route' | 'version'>;
  readonly #versions = new Map<string, Callers>();

  constructor(metrics: Metrics) {
    const { registry } = metrics;
    this.#requests = new LabelCounter(
      {
        name: 'gatehouse_deprecated_requests_total',
        help: 'Requests for what is deprecated, by who sent them.',
        labels: ['route', 'version', 'principal'],
      },
      registry,
    );
    this.#principals = new Gauge({
      name: 'gatehouse_deprecated_principals',
      help: 'How many different principals have called what is deprecated since the start; at most 10000 are told apart.',
      labelNames: ['route', 'version'],
      registers: [registry],
    });
    metrics.onRoutesForgotten((ids) => this.#forget(ids));
  }

  /** Counts one request of a route. */
  count(route: string, version: string, principal: Principal | undefined): void {
    const key = `${route}\n${version}`;
    let callers = this.#versions.get(key);
    if (callers === undefined) this.#versions.set(key, (callers = { distinct: new Set(), named: new Set() }));
    this.#requests.count(route, version, nameIn(callers, principal));
    if (principal === undefined || callers.distinct.size >= MAX_DISTINCT) return;
    const before = callers.distinct.size;
    callers.distinct.add(partitionOf(principal).slice(0, MAX_NAME_LENGTH * 2));
    const after = callers.distinct.size;
    if (after !== before) this.#principals.set({ route, version }, after);
  }

  #forget(ids: ReadonlySet<string>): void {
    this.#requests.forget(ids);
    for (const key of this.#versions.keys()) {
      const [route = '', version = ''] = key.split('\n');
      if (!ids.has(route)) continue;
      this.#versions.delete(key);
      this.#principals.remove({ route, version });
    }
  }
}

function nameIn({ named }: Callers, principal: Principal | undefined): string {
  if (principal === undefined) return 'none';
  // A line break separates labels where they are counted.
  const name = principal.id.slice(0, MAX_NAME_LENGTH).toWellFormed().replace(/\s/g, ' ');
  if (named.has(name)) return name;
  if (named.size >= MAX_NAMED) return 'other';
  named.add(name);
  return name;
}
