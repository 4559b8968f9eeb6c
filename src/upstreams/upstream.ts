import type { Exchange } from '../exchange/exchange.ts';
import { Problem, retryAfterSeconds } from '../problems/problem.ts';
import { balancers, type Balancer } from './balancing/balancer.ts';
import { RetryBudget } from './retry-budget.ts';
import { compileRetry, type RetryPolicy } from './retry-policy.ts';
import { Lease, type LeaseWatch, type Target } from './target.ts';
import { targetSet, type TargetMaker } from './target-set.ts';
import type { CallPatience } from './transport/http1/carried-call.ts';
import type { TargetOptions, UpstreamOptions } from './upstream.schema.ts';

/** A named service behind us: frozen configuration, its targets, which may be replaced, and the state that they share. */
export class Upstream {
  readonly name: string;
  readonly options: UpstreamOptions;
  /** When a request is tried again, unless its route says otherwise. */
  readonly retry: RetryPolicy;
  readonly retryBudget: RetryBudget;
  /** Lower-case names of `passHeaders`; undefined for none. */
  readonly passedHeaders: ReadonlySet<string> | undefined;
  /** How long its targets may be silent. */
  readonly patience: CallPatience;
  /** Makes its targets; absent where they never change. */
  readonly maker: TargetMaker | undefined;
  /** Hears what becomes of calls to it. Written by who has made a part of it. */
  watch: LeaseWatch | undefined = undefined;
  readonly #balancer: Balancer;
  #targets: readonly Target[];
  #holders = 0;

  /** @param previous whose place it takes: what that has learned goes on, as far as it is still asked for. */
  constructor(
    name: string,
    options: UpstreamOptions,
    targets: readonly Target[],
    previous?: Upstream,
    maker?: TargetMaker,
  ) {
    this.name = name;
    this.options = options;
    this.maker = maker;
    this.#targets = targets;
    this.patience = { firstByteMs: options.timeouts.firstByte, idleMs: options.timeouts.idle };
    this.retry = compileRetry(options.protocol, options.retry);
    const before = previous?.options;
    this.retryBudget =
      previous !== undefined && before?.retry.budget === options.retry.budget
        ? previous.retryBudget
        : new RetryBudget(options.retry.budget);
    this.passedHeaders = options.passHeaders.length === 0 ? undefined : new Set(options.passHeaders);
    this.#balancer =
      previous !== undefined && before?.balancing === options.balancing
        ? previous.#balancer
        : balancers[options.balancing]();
  }

  /** The addresses behind it: a list that is never changed, but may be replaced as a whole. May be empty. */
  get targets(): readonly Target[] {
    return this.#targets;
  }

  /**
   * Puts other targets into the place of those it has. Those that stay go on with connections, breaker and counters; those
   * that are gone finish their calls. Once nobody holds the upstream, nothing changes any more.
   */
  replace(wanted: readonly TargetOptions[]): void {
    if (this.maker === undefined || this.#holders === 0) return;
    const gone = this.#targets;
    const { targets, kept } = targetSet(gone, wanted, this.maker);
    // First those to come: one that stays is never without a holder.
    for (const target of targets) target.hold();
    for (const [target, options] of kept) target.retune(options);
    this.#targets = targets;
    for (const target of gone) target.release();
  }

  /** Keeps its targets from ending until as many {@link release}. */
  hold(): void {
    this.#holders += 1;
    if (this.#holders === 1) for (const target of this.#targets) target.hold();
  }

  /** Lets its targets go once nobody holds it any more: those that no other upstream has end after their last call. */
  release(): void {
    this.#holders -= 1;
    if (this.#holders === 0) for (const target of this.#targets) target.release();
  }

  /**
   * Chooses a target and takes the right to call it.
   *
   * @param exchange whose call it is; undefined for a call of the gateway's own.
   * @param tried targets that this exchange has tried; they are chosen again only if no other is available.
   * @throws {Problem} `circuit-open` when the breaker of every target is open, `no-available-target` when there is none.
   */
  lease(exchange: Exchange | undefined, tried: readonly Target[] = NONE): Lease {
    const only = this.targets.length === 1 ? this.targets[0] : undefined;
    if (only !== undefined) {
      if (only.available) return new Lease(only);
      throw this.#allOpen();
    }
    if (this.targets.length === 0)
      throw new Problem('no-available-target', { headers: { 'retry-after': '1' } });
    const available = this.#available();
    const fresh = tried.length === 0 ? available : available.filter((target) => !tried.includes(target));
    const choices = fresh.length > 0 ? fresh : available;
    if (choices.length === 0) throw this.#allOpen();
    return new Lease(this.#balancer.choose(choices, exchange));
  }

  /** Whether a target is available that has not been tried. */
  hasFresh(tried: readonly Target[]): boolean {
    return this.targets.some((target) => target.available && !tried.includes(target));
  }

  /** How long until the first breaker lets a probe through, in ms; 0 while any target is available, or there is none. */
  openForMs(): number {
    if (this.targets.length === 0) return 0;
    let shortest = Infinity;
    for (const target of this.targets) {
      if (target.available) return 0;
      shortest = Math.min(shortest, target.breaker?.openForMs ?? 0);
    }
    return Math.max(1, shortest);
  }

  #available(): readonly Target[] {
    for (const target of this.targets) {
      if (!target.available) return this.targets.filter((one) => one.available);
    }
    return this.targets;
  }

  #allOpen(): Problem {
    return new Problem('circuit-open', { headers: { 'retry-after': retryAfterSeconds(this.openForMs()) } });
  }
}

const NONE: readonly Target[] = Object.freeze([]);
