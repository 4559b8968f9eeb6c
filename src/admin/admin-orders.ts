import { Inject, Injectable, Optional } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.ts';
import { Rollouts } from '../canary/rollouts.ts';
import { ApiKeyRegistry } from '../policies/authentication/api-keys/api-key.registry.ts';
import { Identity } from '../policies/authentication/identity.ts';
import { QuotaLedger } from '../policies/quota/quota-ledger.ts';
import { LIVE_TIERS, type RedisLiveTiers } from '../policies/rate-limit/live-tiers.redis.ts';
import { CacheNews } from '../policies/cache/cache-news.ts';
import { Recorder } from '../record/recorder.ts';
import { CONFIG_DESK, type ConfigDesk } from '../snapshot/config-desk.ts';
import { LogLevel } from '../telemetry/log-level.ts';
import type { Logger } from '../telemetry/logger.ts';
import { LOGGER } from '../telemetry/telemetry.module.ts';
import { Traffic } from '../traffic/traffic.ts';

/** Injection token of what {@link AdminOrders.restart} does. */
export const RESTART = Symbol('RESTART');

/** What becomes of an order to restart: one that is `under-way` goes on, and does not begin anew. */
export type RestartBegin = 'begun' | 'under-way' | 'leaving';

/** What operators can give orders to. */
@Injectable()
export class AdminOrders {
  /** What is counted under quotas. */
  @Optional() @Inject(QuotaLedger) readonly quotas?: QuotaLedger;
  /** Who is of which tier, as Redis says it; undefined without it. */
  @Optional() @Inject(LIVE_TIERS) readonly tiers?: RedisLiveTiers;
  /** Has all workers restarted; undefined for a process that serves alone. */
  @Optional() @Inject(RESTART) readonly restart?: (by: string) => Promise<RestartBegin>;
  /** What is known of configurations, of all processes that serve together; undefined for one that serves alone. */
  @Optional() @Inject(CONFIG_DESK) readonly config?: ConfigDesk;
  /** Stored answers, of this process and of others. */
  @Optional()
  @Inject(CacheNews)
  readonly cache: CacheNews | undefined = undefined;

  /** What exchanges are recorded by. */
  @Optional()
  @Inject(Recorder)
  readonly recorder: Recorder | undefined = undefined;

  /** What is kept of the traffic of this process. */
  @Optional()
  @Inject(Traffic)
  readonly traffic: Traffic | undefined = undefined;

  /** Of the log of this process. */
  @Optional() @Inject(LogLevel) readonly level?: LogLevel;

  constructor(
    readonly rollouts: Rollouts,
    readonly identity: Identity,
    /** Takes note of who has ordered what. */
    @Inject(LOGGER) readonly logger: Logger,
    /** The API keys that Redis keeps; undefined without it. */
    @Optional() readonly keys?: ApiKeyRegistry,
    /** The same, for those who have to account for it. */
    @Optional() readonly audit?: AuditTrail,
  ) {}
}
