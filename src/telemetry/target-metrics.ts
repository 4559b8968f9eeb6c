import type { Registry } from 'prom-client';
import { LabelCounter } from './label-counter.ts';
import { ReadGauge } from './read-gauge.ts';

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

/** A target with what it does just now. */
export interface HeldTarget {
  /** `host:port`. */
  readonly host: string;
  readonly inFlight: number;
  readonly weight: number;
  readonly tls: { readonly certificateEndsAt: number | undefined } | undefined;
}

/** What is to be known of single targets, read when it is asked for: series of those that are gone disappear. */
export class TargetMetrics {
  readonly #shown = new Set<ShownTarget>();
  readonly #held = new Map<HeldTarget, string>();
  readonly #ejections: LabelCounter;

  constructor(registry: Registry) {
    const labels = ['upstream', 'target'];
    this.#ejections = new LabelCounter(
      {
        name: 'gatehouse_target_ejections_total',
        help: 'How often a target was ejected because its calls failed or were slow.',
        labels,
        folds: [1],
      },
      registry,
    );
    const gauge = (name: string, help: string, read: (target: ShownTarget) => number | undefined): void => {
      new ReadGauge({ name: `gatehouse_target_${name}`, help, labels }, registry, (show) => {
        for (const target of this.#shown) {
          const value = read(target);
          if (value !== undefined) show(value, target.upstream, target.host);
        }
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
    this.#showHeld(registry);
  }

  /** Shows what a target does. @returns what takes it away. */
  hold(upstream: string, target: HeldTarget): () => void {
    this.#held.set(target, upstream);
    return () => void this.#held.delete(target);
  }

  /** Shows a target whose health is watched. @returns what takes it away. */
  add(target: ShownTarget): () => void {
    const { upstream, host } = target;
    this.#shown.add(target);
    return () => {
      this.#shown.delete(target);
      for (const other of this.#shown) if (other.upstream === upstream && other.host === host) return;
      this.#ejections.remove(upstream, host);
    };
  }

  /** Counts an ejection. */
  ejected(upstream: string, target: string): void {
    this.#ejections.count(upstream, target);
  }

  #showHeld(registry: Registry): void {
    const gauge = (name: string, help: string, read: (target: HeldTarget) => number | undefined): void => {
      const labels = ['upstream', 'target'];
      new ReadGauge({ name: `gatehouse_target_${name}`, help, labels }, registry, (show) => {
        for (const [target, upstream] of this.#held) {
          const value = read(target);
          if (value !== undefined) show(value, upstream, target.host);
        }
      });
    };
    gauge('requests_in_flight', 'Calls under way to a target.', ({ inFlight }) => inFlight);
    gauge(
      'weight',
      'Weight of a target, as it is configured or discovered, or as an operator has ordered.',
      ({ weight }) => weight,
    );
    gauge(
      'certificate_expiry_timestamp_seconds',
      'When the certificate ends that a target has shown last, in seconds since the epoch.',
      ({ tls }) => (tls?.certificateEndsAt === undefined ? undefined : tls.certificateEndsAt / 1000),
    );
  }
}
