import { isDeepStrictEqual } from 'node:util';
import type { Exchange } from '../exchange/exchange.ts';
import { subsetOf, type Subset } from '../exchange/subset.ts';
import type { Problem } from '../problems/problem.ts';
import { balancerOf, type Balancer } from './balancing/balancer.ts';
import { CallsUnderWay } from './balancing/calls-under-way.ts';
import { PeakEwma } from './balancing/peak-ewma.ts';
import { StickySessions } from './balancing/sticky-sessions.ts';
import { TargetChoice } from './balancing/target-choice.ts';
import { TargetPool } from './balancing/target-pool.ts';
import type { Waiter } from './balancing/target-queue.ts';
import { avoidedBeside, MOST_BUSY } from './hedging/avoided-beside.ts';
import { HeadTimes } from './hedging/head-times.ts';
import { HedgePolicy, type HedgeOptions } from './hedging/hedge-policy.ts';
import { DeadlineField } from './http/deadline-field.ts';
import type { ServiceIdentity } from './identity/service-identity.ts';
import { RetryBudget } from './retry-budget.ts';
import { compileRetry, type RetryPolicy } from './retry-policy.ts';
import { Lease, type LeaseWatch } from './lease.ts';
import type { Target } from './target.ts';
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
  /** Those at all its targets, and at those that it had. */
  readonly calls: CallsUnderWay;
  /** When a request gets a second attempt beside the first, unless its route says otherwise; undefined for never. */
  readonly hedge: HedgePolicy | undefined;
  /** Lower-case names of `passHeaders`; undefined for none. */
  readonly passedHeaders: ReadonlySet<string> | undefined;
  /** Tells its targets how long an answer is waited for; undefined for one that does not want to hear it. */
  readonly deadlineField: DeadlineField | undefined;
  /** How long its targets may be silent. */
  readonly patience: CallPatience;
  /** Makes its targets; absent where they never change. */
  readonly maker: TargetMaker | undefined;
  /** Hears what becomes of calls to it. Written by who has made a part of it. */
  watch: LeaseWatch | undefined = undefined;
  /** What its services learn of callers, where that is not as usual. Written by who has made it. */
  identity: ServiceIdentity | undefined = undefined;
  /** Those whose tokens are not there yet. */
  readonly #unsigned = new Set<Waiter>();
  readonly #usual: TargetChoice;
  /** Among all targets, where the usual choice is a part of them. */
  #all: TargetChoice | undefined = undefined;
  readonly #choices = new WeakMap<Subset, TargetChoice>();
  #sticky: StickySessions | undefined = undefined;
  #targets: readonly Target[];
  /** The one target of an upstream of which nothing is said that could choose against it. */
  #only: Target | undefined;
  #holders = 0;
  #headTimes: HeadTimes | undefined;

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
    this.calls = previous?.calls ?? new CallsUnderWay();
    this.#targets = this.#owned(targets);
    this.#only = this.#onlyOf(targets);
    this.patience = { firstByteMs: options.timeouts.firstByte, idleMs: options.timeouts.idle };
    this.retry = compileRetry(options.protocol, options.retry);
    const before = previous?.options;
    this.retryBudget =
      previous !== undefined && before?.retry.budget === options.retry.budget
        ? previous.retryBudget
        : new RetryBudget(options.retry.budget);
    this.#headTimes = previous === undefined ? undefined : previous.#headTimes;
    this.hedge = options.hedge === 'off' ? undefined : this.hedgePolicy(options.hedge);
    const { deadlineHeader } = options;
    this.deadlineField = deadlineHeader === undefined ? undefined : new DeadlineField(deadlineHeader);
    this.passedHeaders = options.passHeaders.length === 0 ? undefined : new Set(options.passHeaders);
    const goesOn = previous !== undefined && isDeepStrictEqual(before?.balancing, options.balancing);
    const balancer = goesOn ? previous.#usual.pool.balancer : balancerOf(options.balancing);
    // A part of an upstream keeps the sessions of the whole.
    if (options.sticky !== undefined && previous !== undefined) this.#sticky = previous.#sticky;
    this.#usual = this.#makeChoice(balancer, { subset: subsetOf(options), known: previous?.targets });
  }

  /** The addresses behind it: a list that is never changed, but may be replaced as a whole. May be empty. */
  get targets(): readonly Target[] {
    return this.#targets;
  }

  /**
   * Puts other targets into the place of those it has. Those that stay go on with connections, breaker and counters; those
   * that are gone finish their calls. Once nobody holds the upstream, nothing changes any more.
   *
   * @param others of an upstream whose place it takes: they go on as its own do.
   */
  replace(wanted: readonly TargetOptions[], others: readonly Target[] = []): void {
    if (this.maker === undefined || this.#holders === 0) return;
    const gone = this.#targets;
    const all = [...gone, ...others.filter((one) => !gone.includes(one))];
    const { targets, kept } = targetSet(all, wanted, this.maker);
    // First those to come: one that stays is never without a holder.
    for (const target of targets) target.hold();
    for (const [target, options] of kept) target.retune(options);
    this.#targets = this.#owned(targets);
    this.#only = this.#onlyOf(targets);
    for (const { health } of targets) health.start?.();
    for (const target of gone) target.release();
  }

  /** Keeps its targets from ending until as many {@link release}. */
  hold(): void {
    this.#holders += 1;
    if (this.#holders > 1) return;
    for (const target of this.#targets) target.hold();
    this.identity?.hold();
  }

  /** Lets its targets go once nobody holds it any more: those that no other upstream has end after their last call. */
  release(): void {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    for (const target of this.#targets) target.release();
    this.identity?.release();
  }

  /** Comes into force: what is new begins slowly from now on, however long ago it was made. */
  begin(): void {
    this.#usual.pool.begin();
  }

  /** Has clients stay with their targets by cookies that are signed with these secrets. */
  keepSessions(secrets: readonly string[]): void {
    const { sticky } = this.options;
    if (sticky !== undefined) this.#sticky = new StickySessions(this.name, sticky, secrets);
  }

  /** Compiles a `hedge:`; all those of an upstream learn from the same requests. */
  hedgePolicy(options: Exclude<HedgeOptions, 'off'>): HedgePolicy {
    return new HedgePolicy(options, this.patience.firstByteMs, (this.#headTimes ??= new HeadTimes()));
  }

  /**
   * Chooses a target and takes the right to call it.
   *
   * @param exchange whose call it is; undefined for a call of the gateway's own.
   * @param tried targets that this exchange has tried; they are chosen again only if no other is available.
   * @throws {Problem} `circuit-open` when none is available and a breaker is open, else `no-available-target`.
   */
  lease(exchange: Exchange | undefined, tried: readonly Target[] = NONE): Lease {
    const only = this.#only;
    if (only?.available === true && (exchange === undefined || hasNoSubset(exchange))) return new Lease(only);
    return this.#choiceOf(exchange).lease(exchange, tried);
  }

  /**
   * The same, but while all targets are full the caller waits for its turn, and before that for the tokens that its service
   * is to get.
   *
   * @returns undefined for one who waits.
   * @throws {Problem} as {@link lease} does, and `no-available-target` when too many wait.
   */
  leaseOrWait(waiter: Waiter): Lease | undefined {
    const tokens = this.identity?.awaits(waiter.exchange);
    if (tokens === undefined) return this.#leaseOrQueue(waiter);
    this.#unsigned.add(waiter);
    tokens.then(
      () => this.#signed(waiter),
      (problem: Problem) => this.#unsigned.delete(waiter) && waiter.refused(problem),
    );
    return undefined;
  }

  #signed(waiter: Waiter): void {
    if (!this.#unsigned.delete(waiter)) return;
    let lease: Lease | undefined;
    try {
      lease = this.#leaseOrQueue(waiter);
    } catch (problem) {
      return waiter.refused(problem as Problem);
    }
    if (lease !== undefined) waiter.granted(lease);
  }

  #leaseOrQueue(waiter: Waiter): Lease | undefined {
    if (this.#only !== undefined) return this.lease(waiter.exchange, waiter.tried);
    return this.#choiceOf(waiter.exchange).leaseOrWait(waiter);
  }

  /** Lets one go that waits and does not want any more. */
  leave(waiter: Waiter): void {
    if (!this.#unsigned.delete(waiter)) this.#choiceOf(waiter.exchange).leave(waiter);
  }

  /**
   * The target that {@link lease} would choose now: nothing is taken, and nobody's turn passes. Undefined when none is
   * available, or when chance decides.
   */
  peek(exchange: Exchange): Target | undefined {
    return this.#choiceOf(exchange).peek(exchange);
  }

  /** See {@link avoidedBeside}; undefined as well when there is no room for calls that are made twice. */
  avoidedBeside(exchange: Exchange, asked: Target): Target[] | undefined {
    const { maxInFlight = Infinity } = this.options;
    if (this.calls.count > maxInFlight * MOST_BUSY) return undefined;
    return avoidedBeside(this.#choiceOf(exchange).members, asked);
  }

  /** Whether a target is available that has not been tried. */
  hasFresh(tried: readonly Target[], exchange?: Exchange): boolean {
    return this.#choiceOf(exchange).hasFresh(tried);
  }

  /** Why none of its targets can be called now; undefined when one can, or only has too much to do, or there is none. */
  refusal(): Problem | undefined {
    for (const { available, isFull, isWithdrawn } of this.#targets)
      if (available || (isFull && !isWithdrawn)) return undefined;
    return this.#targets.length === 0 ? undefined : this.#usual.refusal();
  }

  #choiceOf(exchange: Exchange | undefined): TargetChoice {
    const subset =
      exchange?.subset ?? (exchange?.route?.upstream === this.name ? exchange.route.subset : undefined);
    return subset === undefined ? this.#usual : this.#choiceOfSubset(subset);
  }

  #choiceOfSubset(subset: Subset): TargetChoice {
    let choice = this.#choices.get(subset);
    if (choice === undefined) {
      choice = this.#makeChoice(balancerOf(this.options.balancing), { subset });
      this.#choices.set(subset, choice);
    }
    return choice;
  }

  #makeChoice(
    balancer: Balancer,
    {
      subset,
      known,
    }: { readonly subset?: Subset | undefined; readonly known?: readonly Target[] | undefined },
  ): TargetChoice {
    const { zone, slowStart, panicThreshold, maxQueued, queueOrder, timeouts } = this.options;
    const { adaptiveConcurrency, maxInFlight } = this.options;
    const isAdaptive = adaptiveConcurrency !== 'off';
    const isStrict = isLimited(this.options);
    const options = { local: zone?.local, slowStartMs: slowStart ?? 0, panicThreshold, isStrict };
    const pool = new TargetPool(this, balancer, { ...options, labels: subset?.labels }, known);
    return new TargetChoice({
      pool,
      calls: this.calls,
      maxInFlight,
      fallback:
        subset?.fallback === 'any'
          ? (this.#all ??= this.#makeChoice(balancerOf(this.options.balancing), {}))
          : undefined,
      sticky: () => this.#sticky,
      queue:
        isStrict || maxInFlight !== undefined
          ? { max: maxQueued, waitMs: timeouts.queue, isAdaptive, order: queueOrder }
          : undefined,
    });
  }

  #onlyOf(targets: readonly Target[]): Target | undefined {
    const { sticky, subset, maxInFlight } = this.options;
    if (sticky !== undefined || subset !== undefined || maxInFlight !== undefined) return undefined;
    if (isLimited(this.options)) return undefined;
    return targets.length === 1 ? targets[0] : undefined;
  }

  #owned(targets: readonly Target[]): readonly Target[] {
    for (const target of targets) target.calls = this.calls;
    if (this.options.balancing === 'ewma') for (const target of targets) target.latency ??= new PeakEwma();
    return targets;
  }
}

/** Whether a target can be full, so that it is called no more. */
function isLimited({ maxRequests, adaptiveConcurrency }: UpstreamOptions): boolean {
  return maxRequests !== undefined || adaptiveConcurrency !== 'off';
}

function hasNoSubset({ subset, route }: Exchange): boolean {
  return subset === undefined && route?.subset === undefined;
}

const NONE: readonly Target[] = Object.freeze([]);
