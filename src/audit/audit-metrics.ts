import { Counter, Gauge, type Registry } from 'prom-client';

/** What is counted of the audit. */
export class AuditMetrics {
  readonly #events: Counter<'kind' | 'outcome'>;
  readonly #suppressed: Counter;
  readonly #lost: Counter;

  /** @param isFailing asked at each scrape. */
  constructor(registry: Registry, isFailing: () => boolean) {
    const registers = [registry];
    this.#events = new Counter({
      name: 'gatehouse_audit_events_total',
      help: 'Audit events, by kind and outcome.',
      labelNames: ['kind', 'outcome'],
      registers,
    });
    this.#suppressed = new Counter({
      name: 'gatehouse_audit_suppressed_total',
      help: 'Denials that were counted in an event of several, because there were too many in a second.',
      registers,
    });
    this.#lost = new Counter({
      name: 'gatehouse_audit_lost_total',
      help: 'Audit events that could not be written, and for which there was no room to wait.',
      registers,
    });
    new Gauge({
      name: 'gatehouse_audit_failing',
      help: 'Whether audit events cannot be written right now.',
      registers,
      collect() {
        this.set(isFailing() ? 1 : 0);
      },
    });
  }

  recorded(kind: string, outcome: string): void {
    this.#events.inc({ kind, outcome });
  }

  suppressed(count: number): void {
    this.#suppressed.inc(count);
  }

  lost(): void {
    this.#lost.inc();
  }
}
