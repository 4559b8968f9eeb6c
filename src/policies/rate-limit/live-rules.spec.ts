import { describe, expect, it } from '@jest/globals';
import { LiveRules } from './live-rules.ts';
import type { BucketRule } from './rate-limiter.ts';
import { tiersSchema, type TierLimit } from './tiers.schema.ts';

const TIERS = tiersSchema.parse({ free: { rate: 2 }, pro: { rate: 50, burst: 40 }, all: 'off' });
const SHAPE = { algorithm: 'tokenBucket', precision: 'exact' } as const;

describe('rules of what operators say', () => {
  const made: BucketRule[] = [];
  const rulesOf = (hasOwn: boolean): LiveRules =>
    new LiveRules({ shape: SHAPE, tiers: TIERS, hasOwn, onMade: (rule) => void made.push(rule) });
  const live = (limits: Record<string, TierLimit>) => ({ limitOf: (tier: string) => limits[tier] });

  it('are the same for as long as the limit is, and told once', () => {
    const rules = rulesOf(true);
    const limit = { rate: 5, per: 1000, burst: 3 };
    const rule = rules.of(limit);
    expect(rule).toEqual({ rate: 5, perMs: 1000, burst: 3, ...SHAPE });
    expect(rules.of(limit)).toBe(rule);
    expect(made.filter((one) => one === rule)).toHaveLength(1);
    expect(rules.of({ ...limit })).not.toBe(rule);
    expect(rules.of('off')).toBeUndefined();
  });

  it('of callers without a tier are those of the strictest tier as it is now, or what the rule says', () => {
    const rules = rulesOf(false);
    expect(rules.other(live({}))).toMatchObject({ rate: 2 });
    expect(rules.other(live({ free: { rate: 90, per: 60_000, burst: 90 } }))).toMatchObject({
      rate: 50,
      burst: 40,
    });
    expect(rules.other(live({ all: { rate: 1, per: 60_000, burst: 1 } }))).toMatchObject({ rate: 1 });
    expect(rules.other(live({ free: 'off', pro: 'off' }))).toBeUndefined();
    expect(rulesOf(true).other(live({ free: { rate: 1, per: 60_000, burst: 1 } }))).toBeUndefined();
  });
});
