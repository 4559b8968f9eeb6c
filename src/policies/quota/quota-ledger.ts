import { Inject, Injectable, Optional } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { AUDIT } from '../../config/tokens.ts';
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

/** All that is counted under quotas in this gateway, and whoever is told of it. */
@Injectable()
export class QuotaLedger implements QuotaDeps {
  readonly store: RedisQuotas | undefined;
  readonly local: MemoryQuotas;
  #hasWarned = false;
  @Optional() @Inject(Metrics) private readonly metrics?: Metrics;
  @Optional() @Inject(LOGGER) private readonly logger?: Logger;
  @Optional() @Inject(AUDIT) private readonly audit?: EventTaker;
  @Optional() @Inject(Replicas) readonly replicas?: Replicas;

  constructor(@Optional() @Inject(REDIS) redis?: Redis, @Optional() @Inject(STORE_GUARD) guard?: StoreGuard) {
    this.local = new MemoryQuotas({ onNews: this.#tell });
    if (redis !== undefined && guard !== undefined) this.store = new RedisQuotas(redis, guard, this.#tell);
  }

  decided(routeId: string, decision: QuotaDecision): void {
    this.metrics?.quotas.decided(routeId, decision);
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
    // What this process remembers, to go on from while Redis does not answer.
    if (reply !== undefined && this.store !== undefined)
      reply.counts.forEach((count, i) => this.local.forget(keys[i] as string, count.start));
    return reply;
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
