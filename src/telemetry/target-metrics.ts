import { Counter, Gauge, type Registry } from 'prom-client';

/** What is shown of a target. */
export interface ShownTarget {
  readonly upstream: string;
  /** `host:port`. */
  readonly host: string;
  /** What probes say; undefined where there are none. */
  readonly verdict: 'unknown' | 'up' | 'down' | undefined;
  readonly isEjected: boolean;
  /** Why it cannot be called as usual; undefined for one that can. */
  readonly reason: string | undefined;
  readonly breaker: { readonly isSuspect: boolean } | undefined;
}

type Label = 'upstream' | 'target';

/** What is to be known of single targets, read when it is asked for: series of those that are gone disappear. */
export class TargetMetrics {
  readonly #shown = new Set<ShownTarget>();
  readonly #ejections: Counter<Label>;

  constructor(registry: Registry) {
    const registers = [registry];
    const labelNames = ['upstream', 'target'] as const;
    this.#ejections = new Counter({
      name: 'gatehouse_target_ejections_total',
      help: 'How often a target was ejected because its calls failed or were slow.',
      labelNames,
      registers,
    });
    const gauge = (name: string, help: string, read: (target: ShownTarget) => number | undefined): void => {
      const shown = this.#shown;
      new Gauge<Label>({
        name: `gatehouse_target_${name}`,
        help,
        labelNames,
        registers,
        collect() {
          this.reset();
          for (const target of shown) {
            const value = read(target);
            if (value !== undefined) this.set({ upstream: target.upstream, target: target.host }, value);
          }
        },
      });
    };
    gauge(
      'available',
      'Whether a target can be called as usual: healthy, not ejected, its breaker closed.',
      (one) => (one.reason === undefined ? 1 : 0),
    );
    gauge('healthy', 'What probes say of a target: 1 up, 0 down or not probed yet.', ({ verdict }) =>
      verdict === undefined ? undefined : Number(verdict === 'up'),
    );
    gauge('ejected', 'Whether a target is ejected.', ({ isEjected }) => Number(isEjected));
    gauge(
      'suspect',
      'Whether the breaker of a target opens at its next failure, as another replica’s has.',
      (one) => (one.breaker === undefined ? undefined : Number(one.breaker.isSuspect)),
    );
  }

  /** Shows a target. @returns what takes it away. */
  add(target: ShownTarget): () => void {
    const { upstream, host } = target;
    this.#shown.add(target);
    return () => {
      this.#shown.delete(target);
      for (const other of this.#shown) if (other.upstream === upstream && other.host === host) return;
      this.#ejections.remove({ upstream, target: host });
    };
  }

  /** Counts an ejection. */
  ejected(upstream: string, target: string): void {
    this.#ejections.inc({ upstream, target });
  }
}
