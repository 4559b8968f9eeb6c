import type { LeaseWatch } from './lease.ts';
import type { Target } from './target.ts';
import { Upstream } from './upstream.ts';

/** Where requests go: an upstream, or a part of one. */
export interface UpstreamSource {
  /** The upstream as the configuration knows it. */
  readonly whole: Upstream;
  /** Those targets of it that are meant, at the moment. */
  readonly current: Upstream;
}

/**
 * Those targets of an upstream that have all of some labels, or those that do not: an upstream of its own whose targets are
 * the other one's, with their connections, breakers and counters, and whose retries share the other one's budget. Put
 * together again when the targets of the other one are replaced.
 */
export class UpstreamPart implements UpstreamSource {
  readonly whole: Upstream;
  readonly #takes: (target: Target) => boolean;
  readonly #watch: LeaseWatch | undefined;
  #of: readonly Target[] | undefined = undefined;
  #part: Upstream;

  /** @param watch hears what becomes of its calls. */
  constructor(whole: Upstream, takes: (target: Target) => boolean, watch?: LeaseWatch) {
    this.whole = whole;
    this.#takes = takes;
    this.#watch = watch;
    this.#part = whole;
  }

  get current(): Upstream {
    const { targets } = this.whole;
    // Not when it is made: labels of targets that go on change when a configuration comes into force.
    if (targets !== this.#of) {
      this.#of = targets;
      const { name, options } = this.whole;
      this.#part = new Upstream(name, options, targets.filter(this.#takes), this.whole);
      this.#part.watch = this.#watch;
      this.#part.identity = this.whole.identity;
    }
    return this.#part;
  }
}
