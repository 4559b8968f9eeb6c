import { Inject, Injectable, Optional } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { AUDIT, PUB_SUB } from '../../config/tokens.ts';
import type { PubSub } from '../../store/pub-sub.ts';
import { Replicas } from '../../store/replicas.ts';
import { REDIS, STORE_GUARD } from '../../store/store.module.ts';
import { STORE_UNAVAILABLE, type StoreGuard } from '../../store/store-guard.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { LOGGER } from '../../telemetry/telemetry.module.ts';
import type { QuotaDecision, QuotaDeps } from './counting.stage.ts';
import { MemoryQuotas } from './quota-counters.memory.ts';
import type { QuotaListener, QuotaReply } from './quota-counters.ts';
import { RedisQuotas } from './quota-counters.redis.ts';
import { CursorFault, type ListingPage, type ListingQuery } from './quota-listing.ts';
import { RedisListing } from './quota-listing.redis.ts';
import { EXHAUSTED, WARNED, type QuotaTerms } from './quota-count.ts';
import { subjectOfKey } from './quota-subject.ts';

/** What an event says, as far as the audit takes it. */
interface QuotaEvent {
  readonly kind: 'quota';
  readonly action: 'warning' | 'exhausted';
  readonly outcome: 'done';
  readonly actor: { readonly type: 'gateway' };
  readonly target: string;
  readonly details: Readonly<Record<string, string | number>>;
}

interface EventTaker {
  record(event: QuotaEvent): void;
}

/** What operators' work may take: nobody else waits for it. */
const ORDER_BUDGET_MS = 1000;
const LISTING_BUDGET_MS = 5000;

/** The channel on which replicas tell of resets. */
const RESETS = 'quota-resets';

/** All that is counted under quotas in this gateway, and whoever is told of it. */
@Injectable()
export class QuotaLedger implements QuotaDeps {
  readonly store: RedisQuotas | undefined;
  readonly local: MemoryQuotas;
  readonly #listing: { readonly redis: RedisListing; readonly guard: StoreGuard } | undefined;
  #hasWarned = false;
  #isListening = false;
  @Optional() @Inject(Metrics) private readonly metrics?: Metrics;
  @Optional() @Inject(LOGGER) private readonly logger?: Logger;
  @Optional() @Inject(AUDIT) private readonly audit?: EventTaker;
  @Optional() @Inject(PUB_SUB) private readonly pubSub?: PubSub;
  @Optional() @Inject(Replicas) readonly replicas?: Replicas;

  constructor(@Optional() @Inject(REDIS) redis?: Redis, @Optional() @Inject(STORE_GUARD) guard?: StoreGuard) {
    this.local = new MemoryQuotas({ onNews: this.#tell });
    if (redis === undefined || guard === undefined) return;
    this.store = new RedisQuotas(redis, guard, this.#tell);
    // A guard of its own: that it takes long says nothing about what requests ask.
    const own = guard.forUse('quota listings', { budgetMs: LISTING_BUDGET_MS });
    this.#listing = { redis: new RedisListing(redis), guard: own };
  }

  decided(routeId: string, decision: QuotaDecision): void {
    this.metrics?.quotas.decided(routeId, decision);
  }

  /** Listens for resets of other replicas, from the first time on that anybody needs to. */
  listen(): void {
    if (this.store === undefined || this.#isListening) return;
    this.#isListening = true;
    // Whoever can write to Redis can say anything; nothing comes of it but that Redis is asked again.
    this.pubSub?.listen(RESETS, (message) => this.store?.forget(JSON.parse(message) as string[]));
  }

  /** Says once that what is counted ends with the process. */
  warnOfMemory(): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.logger?.warn('Quotas are counted by this process alone, and end with it: set REDIS_URL.');
  }

  /** Looks at what is counted. @returns undefined where Redis does not answer. */
  look(keys: readonly string[], terms: readonly QuotaTerms[]): Promise<QuotaReply | undefined> {
    return this.#order(keys, terms, 'look');
  }

  /** Begins windows anew, as far as they are used. @returns what is counted then; undefined where Redis does not answer. */
  async reset(keys: readonly string[], terms: readonly QuotaTerms[]): Promise<QuotaReply | undefined> {
    const reply = await this.#order(keys, terms, 'reset');
    if (reply === undefined || this.store === undefined) return reply;
    // What this process remembers, to go on from while Redis does not answer.
    reply.counts.forEach((count, i) => this.local.forget(keys[i] as string, count.start));
    // Who does not hear of it refuses for a moment longer.
    this.pubSub?.publish(RESETS, JSON.stringify(keys)).catch(() => undefined);
    return reply;
  }

  /**
   * Lists who has used something of a quota in the window that runs.
   *
   * @returns undefined where Redis does not answer.
   * @throws {CursorFault} for a cursor that is none.
   */
  async subjects(query: ListingQuery, terms: QuotaTerms): Promise<ListingPage | undefined> {
    if (this.#listing === undefined) return this.local.page(query, terms);
    const { redis, guard } = this.#listing;
    // What is wrong with a cursor says nothing about Redis.
    const listed = await guard.run(() =>
      redis.page(query, terms).catch((error: unknown) => {
        if (error instanceof CursorFault) return error;
        throw error;
      }),
    );
    if (listed instanceof CursorFault) throw listed;
    return listed === STORE_UNAVAILABLE ? undefined : listed;
  }

  async #order(
    keys: readonly string[],
    terms: readonly QuotaTerms[],
    mode: 'look' | 'reset',
  ): Promise<QuotaReply | undefined> {
    if (keys.length === 0) return { nowMs: Date.now(), counts: [] };
    const asked = terms.map((one) => ({ ...one, mode }));
    const { store, local } = this;
    if (store === undefined) return local.take(keys, asked);
    const outcome = await store.take(keys, asked, ORDER_BUDGET_MS);
    return outcome === STORE_UNAVAILABLE ? undefined : outcome;
  }

  readonly #tell: QuotaListener = (key, terms, count) => {
    const { name, limit, calendar } = terms;
    const subject = subjectOfKey(key);
    const window = calendar.labelOf(count.start);
    const { used, carried } = count;
    const details = { quota: name, window, timeZone: calendar.timeZone, used, limit, carriedOver: carried };
    for (const [bit, action] of NEWS) {
      if ((count.news & bit) === 0) continue;
      this.metrics?.quotas.told(name, action);
      this.logger?.warn({ quota: { subject, ...details } }, SAID[action]);
      this.audit?.record({
        kind: 'quota',
        action,
        outcome: 'done',
        actor: GATEWAY,
        target: `quota ${name} of ${subject}`,
        details: { subject, ...details },
      });
    }
  };
}

const GATEWAY = Object.freeze({ type: 'gateway' } as const);
const NEWS = [
  [WARNED, 'warning'],
  [EXHAUSTED, 'exhausted'],
] as const;
const SAID = { warning: 'a quota is nearly used up', exhausted: 'a quota is used up' } as const;
