import { Counter, Gauge, type Registry } from 'prom-client';

/** How the store does. */
export class StoreMetrics {
  readonly #uses = new Map<string, boolean>();
  readonly #up: Gauge;
  readonly #useUp: Gauge<'use'>;
  readonly #switches: Counter<'use' | 'to'>;
  readonly #failures: Counter<'use' | 'why'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#up = new Gauge({
      name: 'gatehouse_store_up',
      help: 'Whether Redis is used for everything that it is there for: 1, or 0 while it is slow, full or gone.',
      registers,
    });
    this.#useUp = new Gauge({
      name: 'gatehouse_store_use_up',
      help: 'Whether Redis is used, by what for; the use connection is whether there is one.',
      labelNames: ['use'],
      registers,
    });
    this.#switches = new Counter({
      name: 'gatehouse_store_switches_total',
      help: 'How often a use of Redis was given up (off) or taken up again (on).',
      labelNames: ['use', 'to'],
      registers,
    });
    this.#failures = new Counter({
      name: 'gatehouse_store_failures_total',
      help: 'Calls to Redis that it has refused, or not answered within their budget (late).',
      labelNames: ['use', 'why'],
      registers,
    });
  }

  /** Whether each use is one now, by what for. */
  get uses(): ReadonlyMap<string, boolean> {
    return this.#uses;
  }

  /** Takes over what became of a use; what is said first is no switch. */
  changed(up: boolean, use: string): void {
    const before = this.#uses.get(use);
    this.#uses.set(use, up);
    if (before !== undefined && before !== up) this.#switches.inc({ use, to: up ? 'on' : 'off' });
    this.#useUp.set({ use }, up ? 1 : 0);
    this.#up.set([...this.#uses.values()].every(Boolean) ? 1 : 0);
  }

  /** Counts a call that came to nothing. */
  failed(why: 'refused' | 'late', use: string): void {
    this.#failures.inc({ use, why });
  }
}
