import { Module } from '@nestjs/common';
import { RateLimitModule } from '../rate-limit/rate-limit.module.ts';
import { QuotaLedger } from './quota-ledger.ts';
import { quotaPolicy } from './quota.policy.ts';
import { QuotaStageFactory } from './quota.stage.ts';

/** Counts what callers use: in Redis when there is one, in this process otherwise. */
@Module({
  // Who is of which tier.
  imports: [RateLimitModule],
  providers: [QuotaLedger, QuotaStageFactory],
  exports: [QuotaLedger, QuotaStageFactory],
})
export class QuotaModule {}

/** Registers the policy in THE ORDER. */
export const quota = { policy: quotaPolicy, factory: QuotaStageFactory, module: QuotaModule };
