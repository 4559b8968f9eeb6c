import type { Registry } from 'prom-client';
import { DurationHistogram, type DurationCell } from './duration-histogram.ts';
import { LabelCounter } from './label-counter.ts';

const BOUNDS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/**
 * What became of tokens that were to be exchanged: `exchanged`; `refused` by the issuer; `failed`, without an answer that is
 * one; `spared`, which were refused without asking, because the issuer has just refused or is down.
 */
export type TokenExchangeOutcome = 'exchanged' | 'refused' | 'failed' | 'spared';

/** Exchanges of the tokens of callers for those of services. Tokens that are kept count for nothing. */
export class TokenExchangeMetrics {
  readonly #outcomes: LabelCounter;
  readonly #duration: DurationHistogram;
  readonly #cells = new Map<string, DurationCell>();

  constructor(registry: Registry) {
    this.#outcomes = new LabelCounter(
      {
        name: 'gatehouse_token_exchanges_total',
        help: 'Tokens that were to be exchanged for those of an upstream, by outcome: exchanged, refused, failed, or spared, which were refused without asking.',
        labels: ['upstream', 'outcome'],
      },
      registry,
    );
    this.#duration = new DurationHistogram(
      {
        name: 'gatehouse_token_exchange_duration_seconds',
        help: 'Time of a call to the endpoint that exchanges tokens for those of an upstream, whatever came of it.',
        labels: ['upstream'],
        bounds: BOUNDS_SECONDS,
      },
      registry,
    );
  }

  /** Counts a token. @param seconds that the issuer took; undefined where it was not asked. */
  ended(upstream: string, outcome: TokenExchangeOutcome, seconds?: number): void {
    this.#outcomes.count(upstream, outcome);
    if (seconds === undefined) return;
    let cell = this.#cells.get(upstream);
    if (cell === undefined) this.#cells.set(upstream, (cell = this.#duration.cell({ upstream })));
    cell.observe(seconds);
  }

  /** Shows nothing more of upstreams that are gone. */
  forget(names: ReadonlySet<string>): void {
    this.#outcomes.forget(names);
    this.#duration.forget('upstream', names);
    for (const name of names) this.#cells.delete(name);
  }
}
