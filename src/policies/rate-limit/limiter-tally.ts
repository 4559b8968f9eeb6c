import { Counter, Gauge } from 'prom-client';
import type { Metrics } from '../../telemetry/metrics.ts';

/** What the limiters of this process have done beside deciding. Counts only grow. */
export class LimiterTally {
  /** Keys of ours in Redis that had something that nobody can count with, and were begun anew. */
  repaired = 0;
  /** Tokens that were reserved by leases, given back unused, and lost because nobody used or returned them in time. */
  reserved = 0;
  returned = 0;
  lapsed = 0;
  /** Costs that services have reported while Redis was away and for which there was no room. */
  forgotten = 0;
}

/** What limiters hold at the moment. */
export interface LimiterHoldings {
  /** Tokens that are reserved here and not used yet. */
  readonly leased: () => number;
  /** Limits for which costs are kept until Redis is back. */
  readonly kept: () => number;
}

/** Shows a tally, and what is held, as metrics. */
export function showTally(tally: LimiterTally, holdings: LimiterHoldings, { registry }: Metrics): void {
  const registers = [registry];
  new Counter({
    name: 'gatehouse_rate_limit_repairs_total',
    help: 'Limits in Redis that had what nobody can count with and began anew.',
    registers,
    collect() {
      this.reset();
      this.inc(tally.repaired);
    },
  });
  new Counter({
    name: 'gatehouse_rate_limit_lease_tokens_total',
    help: 'Tokens of limits with leases, by event: reserved, returned unused, lapsed (lost until the bucket has filled up).',
    labelNames: ['event'],
    registers,
    collect() {
      this.reset();
      for (const event of ['reserved', 'returned', 'lapsed'] as const) this.inc({ event }, tally[event]);
    },
  });
  new Gauge({
    name: 'gatehouse_rate_limit_leased_tokens',
    help: 'Tokens that this process has reserved and not used yet.',
    registers,
    collect() {
      this.set(holdings.leased());
    },
  });
  new Gauge({
    name: 'gatehouse_rate_limit_kept_costs',
    help: 'Limits with costs that services have reported and that are charged once Redis is back.',
    registers,
    collect() {
      this.set(holdings.kept());
    },
  });
  new Counter({
    name: 'gatehouse_rate_limit_forgotten_costs_total',
    help: 'Costs that services have reported while Redis was away and that there was no room to keep.',
    registers,
    collect() {
      this.reset();
      this.inc(tally.forgotten);
    },
  });
}
