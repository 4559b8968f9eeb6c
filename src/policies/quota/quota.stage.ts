import { Inject, Injectable, Optional } from '@nestjs/common';
import { DRY_RUN } from '../../config/tokens.ts';
import { LIVE_TIERS, type RedisLiveTiers } from '../rate-limit/live-tiers.redis.ts';
import { tenantsOf } from '../rate-limit/tier-book.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import type { Stage } from '../stage.ts';
import { CountingStage } from './counting.stage.ts';
import { QuotaLedger } from './quota-ledger.ts';
import { QuotaPlans } from './quota-plan.ts';
import { quotaPolicy } from './quota.policy.ts';

/** Compiles the quotas of a route: everything that does not depend on the request is settled here. */
@Injectable()
export class QuotaStageFactory implements StageFactory {
  readonly policy = quotaPolicy;
  readonly #ledger: QuotaLedger;
  readonly #isDryRun: boolean;

  constructor(
    ledger: QuotaLedger,
    @Optional() @Inject(DRY_RUN) isDryRun = false,
    @Optional() @Inject(LIVE_TIERS) private readonly liveTiers?: RedisLiveTiers,
  ) {
    this.#ledger = ledger;
    this.#isDryRun = isDryRun;
  }

  compile({ routeId, budgetOf = routeId, policies, repeats = false, tiers }: StageInput): Stage | undefined {
    const rules = policies.quota ?? [];
    if (rules.length === 0) return undefined;
    if (!this.#hasRedis()) {
      // Fails closed: a quota that every restart begins anew is none that anybody could sell.
      if (rules.some(({ withoutRedis }) => withoutRedis === 'fault'))
        throw new Error(
          'needs Redis (REDIS_URL), without which a quota ends with its process; or say `withoutRedis: memory`',
        );
      if (!this.#isDryRun) this.#ledger.warnOfMemory();
    }
    const own = new QuotaPlans(rules, budgetOf);
    const isPriced = rules.some(({ perMessage }) => perMessage !== undefined);
    const perMessage = isPriced ? new QuotaPlans(rules, budgetOf, 'message') : undefined;
    // Nobody reads them where no limit is for a tier.
    if (own.hasTiers) this.liveTiers?.start();
    const known = { live: this.liveTiers, tenants: tiers && tenantsOf(tiers) };
    return new CountingStage(routeId, { own, perMessage, known }, this.#ledger, repeats);
  }

  #hasRedis(): boolean {
    // What only looks at a configuration connects to none, and goes by the environment.
    return this.#ledger.store !== undefined || (this.#isDryRun && Boolean(process.env['REDIS_URL']));
  }
}
