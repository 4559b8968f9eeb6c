import type { LimitDecision } from '../../../exchange/exchange.ts';
import { LimiterTally } from '../limiter-tally.ts';
import type { BucketRule } from '../rate-limiter.ts';
import { decision } from '../token-bucket.ts';

/** A replica reserves what it uses in so many ms: longer with many replicas, whose calls all meet at one key. */
const HORIZON_MS = 100;
const MANY_REPLICAS = 100;
/** So that what is idle is given back before it lapses. */
const LONGEST_HORIZON_MS = 400;
/** How long the bucket counts with a reserve, in ms of its clock. */
export const LEASE_TTL_MS = 1000;
/** How much earlier a replica stops using it: clocks may run apart by so much meanwhile. */
const MARGIN_MS = 20;
/** A rate is measured over this time at least. */
const MEASURE_MS = 10;
/** How long a refusal is repeated without asking; see `RedisTokenBucket`. */
const REFUSAL_TTL_MS = 100;

/** For how many ms a replica reserves at a time; what was not touched for twice as long is given back. */
export function horizonMs(replicas: number): number {
  return Math.min(LONGEST_HORIZON_MS, HORIZON_MS * Math.max(1, replicas / MANY_REPLICAS));
}

/** Alone. */
const ALONE = { count: 1 };

/** What a replica tells the bucket, and asks of it. */
export interface LeaseCall {
  readonly rule: BucketRule;
  /** Of each of the requests that wait. */
  readonly cost: number;
  readonly asked: number;
  /** Tokens it would like to reserve for later requests. */
  readonly want: number;
  /** Tokens that it has left of its last reserve. */
  readonly kept: number;
  /** Tokens of it that it gives back. */
  readonly returned: number;
  /** Tokens that belong back beside those; negative where more was spent than there was. */
  readonly owed: number;
  readonly sentAt: number;
}

/** What the bucket has answered. */
export interface LeaseReply {
  /** How many of the requests that wait pass. */
  readonly passed: number;
  /** Tokens that are reserved for this replica, beside those that it has kept. */
  readonly block: number;
  /** Whole tokens in the bucket. */
  readonly left: number;
  /** ms until one of the requests that did not pass could. */
  readonly retryMs: number;
  /** How many of the tokens that it has kept it may still use: none when its reserve had lapsed meanwhile. */
  readonly kept: number;
}

/**
 * What one replica has of one bucket: the tokens that it has reserved and not used yet, how fast it uses them, and what it
 * knows of the rest. Times are of a clock of this process that never jumps, and are passed in. One call to the bucket is
 * under way at most: it says by itself what this replica has, so that nothing has to be known about calls before it.
 */
export class Lease {
  /** Whether a call is under way. */
  isAsking = false;
  /** When it was last of use. */
  usedAt: number;
  #rule: BucketRule;
  /** Tokens that requests can take; of no worth after `#until`. */
  #held = 0;
  #until = 0;
  /** Tokens that the bucket counts as reserved by this replica. */
  #counted = 0;
  /** Tokens that belong back into the bucket. */
  #owed = 0;
  /** Of the last block, when the bucket had one to give. */
  #block = 0;
  /** Whole tokens in the bucket when it was last asked. */
  #left: number;
  #cost = 1;
  #spent = 0;
  #measuredAt: number;
  /** Tokens per ms. */
  #rate = 0;
  /** A refusal that is certain until then, for this cost and above. */
  #refusedUntil = 0;
  #refusedCost = 0;
  #retryAt = 0;

  readonly #tally: LimiterTally;
  readonly #replicas: { readonly count: number };

  /** @param tally counts what becomes of reserves. @param replicas how many share the bucket, by now. */
  constructor(
    rule: BucketRule,
    now: number,
    tally = new LimiterTally(),
    replicas: { readonly count: number } = ALONE,
  ) {
    this.#rule = rule;
    this.#tally = tally;
    this.#replicas = replicas;
    this.#left = rule.burst;
    this.usedAt = this.#measuredAt = now;
  }

  /** Answers from what is here, and takes it then; undefined when the bucket has to be asked. */
  take(rule: BucketRule, cost: number, now: number): LimitDecision | undefined {
    this.#follow(rule);
    this.usedAt = now;
    if (this.#held < cost || now >= this.#until) return this.#refusal(cost, now);
    this.#held -= cost;
    this.#spent += cost;
    return this.#allowed(cost);
  }

  /** Tells what {@link take} would answer, and takes nothing. */
  peek(rule: BucketRule, cost: number, now: number): LimitDecision | undefined {
    if (!isSame(rule, this.#rule)) return undefined;
    return this.#held >= cost && now < this.#until ? this.#allowed(cost) : this.#refusal(cost, now);
  }

  /** Whether it is time to reserve more, before requests have to wait for it. */
  get runsLow(): boolean {
    return !this.isAsking && this.#held < this.#block / 2;
  }

  /** Whether it has something that belongs back into the bucket now. @param isLast whether nobody will take any more. */
  isIdle(now: number, isLast = false): boolean {
    if (this.isAsking) return false;
    this.#lapse(now);
    return (
      this.#owed < 0 || ((isLast || now - this.usedAt >= 2 * this.#horizonMs) && this.#held + this.#owed > 0)
    );
  }

  /** Whether nothing is lost when it is forgotten. */
  get isEmpty(): boolean {
    return !this.isAsking && this.#held === 0 && this.#owed === 0;
  }

  /** Puts back what a request took that was refused elsewhere. */
  refund(rule: BucketRule, cost: number, now: number): void {
    this.#refusedUntil = 0;
    // The bucket must not fill up with the room of a token that can be used here.
    const fits = isSame(rule, this.#rule) && now < this.#until && this.#held + cost <= this.#counted;
    if (fits) this.#held += cost;
    else this.#owed += cost;
  }

  /** Takes what was spent already, whether it is there or not. */
  charge(rule: BucketRule, cost: number, now: number): void {
    this.#follow(rule);
    const here = now < this.#until ? Math.min(this.#held, cost) : 0;
    this.#held -= here;
    this.#owed -= cost - here;
  }

  /**
   * Puts a call together, and what it gives back out of reach. What is too little for those who wait is given back, so
   * that it counts for all.
   *
   * @param asked how many wait. @param keeps whether to reserve for later requests.
   */
  ask(cost: number, asked: number, keeps: boolean, now: number): LeaseCall {
    this.isAsking = true;
    this.#lapse(now);
    this.#measure(cost * asked, now);
    if (asked > 0) this.#cost = cost;
    const kept = keeps && asked === 0 ? this.#held : 0;
    const [returned, owed] = [this.#held - kept, this.#owed];
    this.#held = kept;
    this.#owed = 0;
    const want = keeps ? Math.max(0, Math.floor(this.#rate * this.#horizonMs) - kept) : 0;
    return { rule: this.#rule, cost: this.#cost, asked, want, kept, returned, owed, sentAt: now };
  }

  /** Learns what came of a call. */
  told(call: LeaseCall, reply: LeaseReply, now: number): void {
    this.isAsking = false;
    this.#left = reply.left;
    this.#tally.reserved += reply.block;
    this.#tally.returned += call.returned;
    this.#tally.lapsed += call.kept - reply.kept;
    if (isSame(call.rule, this.#rule)) this.#reserve(call, reply, now);
    else this.#owed += reply.block;
    if (reply.passed >= call.asked) return;
    // From the moment of sending, and one ms less, because Redis' clock counts whole ms: so it is forgotten in time.
    this.#retryAt = call.sentAt + reply.retryMs;
    this.#refusedUntil = Math.min(this.#retryAt - 1, call.sentAt + REFUSAL_TTL_MS);
    this.#refusedCost = call.cost;
  }

  /** Nobody knows what came of the call: what it gave back and what it reserved is lost until the bucket has filled up. */
  failed({ returned }: Pick<LeaseCall, 'returned'> = { returned: 0 }): void {
    this.isAsking = false;
    this.#tally.lapsed += returned;
  }

  /** Tokens that are reserved and not used yet. */
  heldAt(now: number): number {
    return now < this.#until ? this.#held : 0;
  }

  /** What a request is told that waited for a call. */
  outcomeOf({ cost }: LeaseCall, { retryMs }: LeaseReply, passed: boolean): LimitDecision {
    const told = decision(this.#rule, cost, this.#known, passed);
    return passed ? told : { ...told, retryAfterMs: retryMs };
  }

  get #horizonMs(): number {
    return horizonMs(this.#replicas.count);
  }

  get #known(): number {
    return Math.min(this.#rule.burst, this.#left + this.#held);
  }

  #allowed(cost: number): LimitDecision {
    return decision(this.#rule, cost, this.#known, true);
  }

  #refusal(cost: number, now: number): LimitDecision | undefined {
    if (now >= this.#refusedUntil || cost < this.#refusedCost) return undefined;
    const told = decision(this.#rule, cost, this.#known, false);
    return { ...told, retryAfterMs: Math.max(1, Math.ceil(this.#retryAt - now)) };
  }

  #lapse(now: number): void {
    if (now < this.#until || this.#held === 0) return;
    this.#tally.lapsed += this.#held;
    this.#held = 0;
  }

  #reserve(call: LeaseCall, { block, kept }: LeaseReply, now: number): void {
    this.#block = block;
    this.#counted = kept + block;
    this.#until = call.sentAt + LEASE_TTL_MS - MARGIN_MS;
    this.#held = now < this.#until ? Math.max(0, this.#held - (call.kept - kept)) + block : 0;
  }

  #measure(asked: number, now: number): void {
    this.#spent += asked;
    const elapsedMs = now - this.#measuredAt;
    if (elapsedMs < MEASURE_MS) return;
    const rate = this.#spent / elapsedMs;
    this.#rate = this.#rate === 0 ? rate : (this.#rate + rate) / 2;
    this.#spent = 0;
    this.#measuredAt = now;
  }

  // What was reserved under another rule belongs to that one, and what was refused may pass.
  #follow(rule: BucketRule): void {
    const before = this.#rule;
    if (rule === before) return;
    this.#rule = rule;
    if (isSame(rule, before)) return;
    this.#owed += this.#held;
    this.#held = this.#block = this.#refusedUntil = 0;
  }
}

// Each configuration brings objects of its own.
function isSame(one: BucketRule, other: BucketRule): boolean {
  return one === other || (one.rate === other.rate && one.perMs === other.perMs && one.burst === other.burst);
}
