import type { Registry } from 'prom-client';
import { LabelCounter } from './label-counter.ts';
import { ReadGauge } from './read-gauge.ts';

/** The states of a breaker, as numbers; of several the greatest is shown. */
const STATES = { closed: 0, 'half-open': 1, open: 2 } as const;

type BreakerState = keyof typeof STATES;

interface Shown {
  readonly upstream: string;
  readonly target: string;
  state: BreakerState;
  /** How many breakers there are of the target: while one takes the place of another, both. */
  count: number;
}

/** The breakers of targets. */
export class BreakerMetrics {
  readonly #shown = new Map<string, Shown>();
  readonly #transitions: LabelCounter;

  constructor(registry: Registry) {
    new ReadGauge(
      {
        name: 'gatehouse_breaker_state',
        help: 'State of the breaker of a target: 0 closed, 1 half-open, 2 open.',
        labels: ['upstream', 'target'],
        of: 'max',
      },
      registry,
      (show) => {
        for (const { upstream, target, state } of this.#shown.values()) show(STATES[state], upstream, target);
      },
    );
    this.#transitions = new LabelCounter(
      {
        name: 'gatehouse_breaker_transitions_total',
        help: 'Changes of the breakers of an upstream, by the state that they went to.',
        labels: ['upstream', 'to'],
      },
      registry,
    );
  }

  /** Shows another state. */
  changed(upstream: string, target: string, state: BreakerState): void {
    this.#of(upstream, target).state = state;
    this.#transitions.count(upstream, state);
  }

  /** Shows a breaker that is new, and closed. */
  made(upstream: string, target: string): void {
    const shown = this.#of(upstream, target);
    shown.count += 1;
    shown.state = 'closed';
    // There from the beginning, so that a rate sees the first one.
    for (const state of Object.keys(STATES)) this.#transitions.count(upstream, state, '', 0);
  }

  /** Shows no state any more of a breaker that has ended, unless another one has taken its place. */
  ended(upstream: string, target: string): void {
    const shown = this.#of(upstream, target);
    shown.count -= 1;
    if (shown.count <= 0) this.#shown.delete(`${upstream}\n${target}`);
  }

  /** Shows nothing more of upstreams that are gone. */
  forget(upstreams: ReadonlySet<string>): void {
    this.#transitions.forget(upstreams);
  }

  #of(upstream: string, target: string): Shown {
    const key = `${upstream}\n${target}`;
    let shown = this.#shown.get(key);
    if (shown === undefined) this.#shown.set(key, (shown = { upstream, target, state: 'closed', count: 0 }));
    return shown;
  }
}
