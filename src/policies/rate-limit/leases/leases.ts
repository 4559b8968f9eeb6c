import { setTimeout as sleep } from 'node:timers/promises';
import type { LimitDecision } from '../../../exchange/exchange.ts';
import { STORE_UNAVAILABLE, type StoreGuard, type StoreUnavailable } from '../../../store/store-guard.ts';
import type { BucketRule, TakeOutcome } from '../rate-limiter.ts';
import { LimiterTally } from '../limiter-tally.ts';
import { Lease, type LeaseCall, type LeaseReply } from './lease.ts';
import { Waiting } from './waiting.ts';

const KEY_PREFIX = 'ratelimit:';
const MOST_LEASES = 10_000;
const SWEEP_MS = 100;
/** What holds nothing and was of no use for so long is forgotten. */
const FORGET_MS = 1000;
/** For calls that nobody waits for. */
const PATIENCE_MS = 500;
/** How many are looked at for room, the oldest first. */
const LOOKED_AT = 16;

/** What leases need. */
export interface LeaseDeps {
  /** Makes a call to the bucket under a key. */
  readonly send: (key: string, call: LeaseCall) => Promise<LeaseReply>;
  readonly guard: StoreGuard;
  /** A clock in ms that never jumps. Default `performance.now`. */
  readonly now?: () => number;
  /** How many keys are kept at most. Default 10 000, about 4 MB. */
  readonly most?: number;
  /** How many replicas share the buckets. Default: one. */
  readonly replicas?: { readonly count: number } | undefined;
  /** Counts what becomes of reserves. Default: nobody does. */
  readonly tally?: LimiterTally | undefined;
}

/** One key: what is reserved of it, and who waits for more. */
interface Kept {
  readonly key: string;
  readonly lease: Lease;
  readonly waiting: Waiting[];
  /** Whether it is among those that are about to make a call. */
  isLeaving: boolean;
  /** The last call, which may be over. */
  call: Promise<void> | undefined;
}

/**
 * The leases of one replica. A request takes from what is reserved here, and waits for the bucket only where that is not
 * enough; those that wait for one key travel together. What nobody uses is given back.
 */
export class Leases {
  readonly #all = new Map<string, Kept>();
  readonly #deps: LeaseDeps;
  readonly #now: () => number;
  readonly #most: number;
  readonly #tally: LimiterTally;
  /** Those that have a call to make when this turn of the event loop ends. */
  #leaving: Kept[] = [];
  #timer: NodeJS.Timeout | undefined = undefined;
  #isClosed = false;

  constructor(deps: LeaseDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? (() => performance.now());
    this.#most = deps.most ?? MOST_LEASES;
    this.#tally = deps.tally ?? new LimiterTally();
  }

  /** How many keys are kept. */
  get size(): number {
    return this.#all.size;
  }

  /** Takes `cost` tokens, or takes nothing and says when they will be there. */
  take(bucketKey: string, rule: BucketRule, cost: number): TakeOutcome | Promise<TakeOutcome> {
    const now = this.#now();
    const kept = this.#all.get(bucketKey) ?? this.#keep(bucketKey, rule, now);
    const known = kept.lease.take(rule, cost, now);
    if (known !== undefined) {
      if (kept.lease.runsLow && !this.#isClosed) this.#leave(kept);
      return known;
    }
    if (!this.#deps.guard.available) return STORE_UNAVAILABLE;
    return new Promise((resolve) => this.#wait(kept, rule, cost, resolve));
  }

  /** Tells what {@link take} would answer, as far as that is known here. */
  peek(bucketKey: string, rule: BucketRule, cost: number): LimitDecision | undefined {
    return this.#all.get(bucketKey)?.lease.peek(rule, cost, this.#now());
  }

  /** Puts tokens back that a request has taken which is refused. */
  refund(bucketKey: string, rule: BucketRule, cost: number): void {
    const now = this.#now();
    (this.#all.get(bucketKey) ?? this.#keep(bucketKey, rule, now)).lease.refund(rule, cost, now);
  }

  /** Takes tokens that were spent already, whether they are there or not; those that are not are told to the store once it is there. */
  charge(bucketKey: string, rule: BucketRule, cost: number): StoreUnavailable | undefined {
    const now = this.#now();
    (this.#all.get(bucketKey) ?? this.#keep(bucketKey, rule, now)).lease.charge(rule, cost, now);
    return this.#deps.guard.available ? undefined : STORE_UNAVAILABLE;
  }

  /** Tokens that are reserved and not used yet. */
  get held(): number {
    const now = this.#now();
    let held = 0;
    for (const { lease } of this.#all.values()) held += lease.heldAt(now);
    return held;
  }

  /** Gives everything back that is reserved, and reserves nothing any more: from now on each request asks. Waits a moment at most. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    const calls = [...this.#all.values()].map(async (kept) => {
      // What is on its way brings tokens that belong back as well.
      for (let call; call !== kept.call;) await (call = kept.call);
      await this.#giveBack(kept, this.#now());
    });
    await Promise.race([Promise.all(calls), sleep(PATIENCE_MS, undefined, { ref: false })]);
  }

  #wait(kept: Kept, rule: BucketRule, cost: number, tell: (outcome: TakeOutcome) => void): void {
    const last = kept.waiting.at(-1);
    if (last?.takes(rule, cost) === true) return last.add(tell);
    kept.waiting.push(new Waiting({ rule, cost }, tell, this.#deps.guard));
    if (!kept.lease.isAsking) this.#leave(kept);
  }

  #leave(kept: Kept): void {
    if (kept.isLeaving) return;
    kept.isLeaving = true;
    if (this.#leaving.length === 0) setImmediate(this.#send);
    this.#leaving.push(kept);
  }

  readonly #send = (): void => {
    const leaving = this.#leaving;
    this.#leaving = [];
    for (const kept of leaving) {
      kept.isLeaving = false;
      this.#ask(kept);
    }
  };

  /** Makes the next call of a key, when there is one to make. */
  #ask(kept: Kept): void {
    const { lease, waiting } = kept;
    if (lease.isAsking) return;
    const first = this.#nextOf(waiting);
    if (first === undefined && !lease.runsLow) return;
    const call = lease.ask(first?.cost ?? 1, first?.count ?? 0, !this.#isClosed, this.#now());
    void this.#call(kept, call, first);
  }

  /** Those that gave up are gone. */
  #nextOf(waiting: Waiting[]): Waiting | undefined {
    for (;;) {
      const first = waiting.shift();
      if (first === undefined || !first.isOver) return first;
    }
  }

  /** Never rejects. */
  #call(kept: Kept, call: LeaseCall, waiting: Waiting | undefined): Promise<void> {
    return (kept.call = this.#made(kept, call, waiting));
  }

  async #made(kept: Kept, call: LeaseCall, waiting: Waiting | undefined): Promise<void> {
    const { lease } = kept;
    try {
      const reply = await this.#sent(kept.key, call, waiting);
      lease.told(call, reply, this.#now());
      // Who has given up was told so: what was taken for those is not spent.
      if (waiting?.isOver === true && reply.passed > 0) this.#refundAll(kept, call, reply);
      waiting?.tell((index) => lease.outcomeOf(call, reply, index < reply.passed));
    } catch (error) {
      lease.failed(call);
      waiting?.fail(error);
    }
    this.#goOn(kept);
  }

  // A call of its own is for the guard to judge as well; those that wait are under it since they do.
  #sent(key: string, call: LeaseCall, waiting: Waiting | undefined): Promise<LeaseReply> {
    const sent = this.#deps.send(KEY_PREFIX + key, call);
    if (waiting === undefined) void this.#deps.guard.run(() => sent, PATIENCE_MS);
    return sent;
  }

  #refundAll({ lease }: Kept, { rule, cost }: LeaseCall, { passed }: LeaseReply): void {
    lease.refund(rule, cost * passed, this.#now());
  }

  /** Serves those that have come meanwhile from what is here now; the others are for the next call. */
  #goOn(kept: Kept): void {
    const { lease, waiting } = kept;
    for (const one of waiting)
      if (!one.isOver) one.serve(({ rule, cost }) => lease.take(rule, cost, this.#now()));
    if (waiting.some(({ isOver }) => !isOver)) this.#ask(kept);
    else waiting.length = 0;
    if (this.#isClosed) void this.#giveBack(kept, this.#now());
  }

  #keep(key: string, rule: BucketRule, now: number): Kept {
    if (this.#all.size >= this.#most) this.#makeRoom(now);
    const lease = new Lease(rule, now, this.#tally, this.#deps.replicas);
    const kept: Kept = { key, lease, waiting: [], isLeaving: false, call: undefined };
    this.#all.set(key, kept);
    this.#timer ??= setInterval(this.#sweep, SWEEP_MS).unref();
    return kept;
  }

  /**
   * One of the oldest goes, and what it has goes back: one that has nothing, if there is one. Those that requests wait for
   * stay; they are as few as those.
   */
  #makeRoom(now: number): void {
    let victim: Kept | undefined;
    let looked = 0;
    for (const [key, kept] of this.#all) {
      if ((looked += 1) > LOOKED_AT || victim?.lease.isEmpty === true) break;
      if (!isBusy(kept)) victim = victim === undefined || kept.lease.isEmpty ? kept : victim;
      // Looked at again after all others.
      this.#all.delete(key);
      this.#all.set(key, kept);
    }
    if (victim === undefined) return;
    this.#all.delete(victim.key);
    void this.#giveBack(victim, now);
  }

  readonly #sweep = (): void => {
    const now = this.#now();
    for (const [key, kept] of this.#all) {
      if (kept.lease.isIdle(now)) void this.#giveBack(kept, now, false);
      else if (kept.lease.isEmpty && !isBusy(kept) && now - kept.lease.usedAt >= FORGET_MS)
        this.#all.delete(key);
    }
    if (this.#all.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  };

  /** Never rejects, and waits for the store for a moment at most. */
  async #giveBack(kept: Kept, now: number, isLast = true): Promise<void> {
    if (!kept.lease.isIdle(now, isLast) || !this.#deps.guard.available) return;
    const call = kept.lease.ask(1, 0, false, now);
    await this.#call(kept, call, undefined);
  }
}

function isBusy({ lease, waiting, isLeaving }: Kept): boolean {
  return lease.isAsking || isLeaving || waiting.length > 0;
}
