import { Inject, Injectable, Optional } from '@nestjs/common';
import { namesRedis } from '../../config/redis-url.ts';
import { nearestName } from '../../config/nearest-name.ts';
import { DRY_RUN } from '../../config/tokens.ts';
import { LIVE_TIERS, type RedisLiveTiers } from '../rate-limit/live-tiers.redis.ts';
import { tenantsOf } from '../rate-limit/tier-book.ts';
import type { Tiers } from '../rate-limit/tiers.schema.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import { StageFault } from '../stage-fault.ts';
import type { Stage } from '../stage.ts';
import { CountingStage } from './counting.stage.ts';
import { QuotaLedger } from './quota-ledger.ts';
import { QuotaPlans } from './quota-plan.ts';
import { quotaPolicy, type QuotaRule } from './quota.policy.ts';

/** Compiles the quotas of a route: everything that does not depend on the request is settled here. */
@Injectable()
export class QuotaStageFactory implements StageFactory {
  readonly policy = quotaPolicy;
  readonly #ledger: QuotaLedger;
  readonly #isDryRun: boolean;
  readonly #liveTiers: RedisLiveTiers | undefined;

  constructor(
    ledger: QuotaLedger,
    @Optional() @Inject(DRY_RUN) isDryRun = false,
    @Optional() @Inject(LIVE_TIERS) liveTiers?: RedisLiveTiers,
  ) {
    this.#ledger = ledger;
    this.#isDryRun = isDryRun;
    this.#liveTiers = liveTiers;
  }

  compile(input: StageInput): Stage | undefined {
    const { routeId, budgetOf = routeId, policies, repeats = false, tiers: ofFile } = input;
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
    checkTiers(rules, ofFile);
    if (!this.#isDryRun) this.#ledger.listen();
    // Nobody reads them where no quota is for a tier.
    if (rules.some(({ byTier }) => byTier !== undefined)) this.#liveTiers?.start();
    const tiers = { live: this.#liveTiers, tenants: ofFile && tenantsOf(ofFile) };
    const own = new QuotaPlans(rules, budgetOf, { tiers, place: input });
    const isPriced = rules.some(({ perMessage }) => perMessage !== undefined);
    const perMessage = isPriced ? new QuotaPlans(rules, budgetOf, { per: 'message', tiers }) : undefined;
    return new CountingStage(routeId, { own, perMessage }, this.#ledger, repeats);
  }

  #hasRedis(): boolean {
    // What only looks at a configuration connects to none, and goes by the environment.
    return this.#ledger.store !== undefined || (this.#isDryRun && namesRedis(process.env));
  }
}

// Without tiers of the file those of credentials count, which nobody knows here.
function checkTiers(rules: readonly QuotaRule[], tiers: Tiers | undefined): void {
  if (tiers === undefined) return;
  for (const [index, { byTier = {} }] of rules.entries()) {
    const unknown = Object.keys(byTier).find((name) => !Object.hasOwn(tiers, name));
    if (unknown === undefined) continue;
    const place = rules.length === 1 ? [] : [index];
    const known = Object.keys(tiers).join(', ');
    throw new StageFault(
      ['quota', ...place, 'byTier', unknown],
      `expected a tier of \`tiers\`: ${known}`,
      nearestName(unknown, Object.keys(tiers)),
    );
  }
}
