import type { Exchange } from '../../exchange/exchange.ts';
import { apiKeyOf, partitionOf, type Principal } from '../../exchange/principal.ts';
import { keyId } from '../authentication/api-keys/api-key.view.ts';
import type { BucketRule, LimitAlgorithm } from './rate-limiter.ts';
import type { LiveRules } from './live-rules.ts';
import type { TierLimit, Tiers } from './tiers.schema.ts';

/** Who is of which tier, as operators say it while the gateway runs. */
export interface LiveTiers {
  /** The tier of `tenant:acme`, `key:<id of the key>`, or of what a principal is counted under; undefined for none. */
  tierOf(name: string): string | undefined;
  /** What a tier is now, in place of what the file says; undefined where the file holds. */
  limitOf(tier: string): TierLimit | undefined;
  /** What somebody has in place of the limit of a tier; undefined for nothing. */
  overrideOf(name: string): TierLimit | undefined;
  /** Whether there is any such limit. */
  readonly hasLimits: boolean;
}

/** The limits of a rule for different callers, ready to be looked up. */
export interface CallerLimits {
  /** By the tier of the caller. */
  readonly tiers?: ReadonlyMap<string, BucketRule | undefined> | undefined;
  /** The tier of a tenant whose callers say none. */
  readonly tenants?: ReadonlyMap<string, string> | undefined;
  readonly live?: LiveTiers | undefined;
  /** By what a caller is counted under. */
  readonly overrides?: ReadonlyMap<string, BucketRule | undefined> | undefined;
  /** For who has none of these. */
  readonly other: BucketRule;
  /** Makes rules of what operators say now; absent where a rule has tiers of its own. */
  readonly liveRules?: LiveRules | undefined;
}

/** The limit of a caller; undefined for none. */
export function limitOf(limits: CallerLimits, exchange: Exchange, subject: string): BucketRule | undefined {
  const { overrides, tiers, other, liveRules } = limits;
  const live = liveRules && limits.live?.hasLimits === true ? limits.live : undefined;
  // What operators say now goes before what a file said before.
  const own = live && ofCaller(exchange.principal, (name) => live.overrideOf(name));
  if (own !== undefined) return liveRules?.of(own);
  const named = overrides === undefined ? undefined : nameIn(overrides, subject);
  if (named !== undefined) return overrides?.get(named);
  if (tiers === undefined) return other;
  const tier = tierOf(limits, exchange);
  const now = tier === undefined ? undefined : live?.limitOf(tier);
  if (now !== undefined) return liveRules?.of(now);
  // Fails closed: a tier that nobody has described is not one without a limit.
  if (tier !== undefined && tiers.has(tier)) return tiers.get(tier);
  return live === undefined ? other : (liveRules?.other(live) ?? other);
}

const KEY = 'key:';

/** Under which name there is something about a subject; an API key is also called by its id, as operators are shown it. */
function nameIn(overrides: ReadonlyMap<string, unknown>, subject: string): string | undefined {
  if (overrides.has(subject)) return subject;
  if (!subject.startsWith(KEY)) return undefined;
  const short = KEY + keyId(subject.slice(KEY.length));
  return overrides.has(short) ? short : undefined;
}

/** The tier of a caller: what operators say now, then what the token or the key says, then what the file says of its tenant. */
export function tierOf(
  { live, tenants }: Pick<CallerLimits, 'live' | 'tenants'>,
  { principal }: Pick<Exchange, 'principal'>,
): string | undefined {
  if (principal === undefined) return undefined;
  const { tenant, tier } = principal;
  return (
    (live && ofCaller(principal, (name) => live.tierOf(name))) ??
    tier ??
    (tenant === undefined ? undefined : tenants?.get(tenant))
  );
}

/** What is said of a caller: as a principal, else of its API key, else of its tenant. */
function ofCaller<Said>(
  principal: Principal | undefined,
  said: (name: string) => Said | undefined,
): Said | undefined {
  if (principal === undefined) return undefined;
  const [id, { tenant }] = [apiKeyOf(principal), principal];
  return (
    said(partitionOf(principal)) ??
    (id === undefined ? undefined : (said(KEY + id) ?? said(KEY + keyId(id)))) ??
    (tenant === undefined ? undefined : said('tenant:' + tenant))
  );
}

/** What the rules of limits are made with. */
export interface RuleShape {
  readonly algorithm: LimitAlgorithm;
  readonly precision: 'exact' | 'leased';
}

/** The limit that options describe; undefined for `off`. */
export function ruleOf(limit: TierLimit, { algorithm, precision }: RuleShape): BucketRule | undefined {
  if (limit === 'off') return undefined;
  const { rate, per, burst } = limit;
  return { rate, perMs: per, burst: algorithm === 'tokenBucket' ? burst : rate, algorithm, precision };
}

/** Limits by name, ready to be looked up. */
export function rulesOf(
  limits: Readonly<Record<string, TierLimit>>,
  shape: RuleShape,
): ReadonlyMap<string, BucketRule | undefined> {
  return new Map(Object.entries(limits).map(([name, limit]) => [name, ruleOf(limit, shape)]));
}

/** The one that lets least pass in the long run. */
export function strictest(rules: Iterable<BucketRule | undefined>): BucketRule | undefined {
  let found: BucketRule | undefined;
  for (const rule of rules)
    if (rule !== undefined && (found === undefined || rule.rate / rule.perMs < found.rate / found.perMs))
      found = rule;
  return found;
}

/** The tiers of tenants. */
export function tenantsOf(tiers: Tiers): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(tiers).flatMap(([name, tier]) =>
      tier === 'off' ? [] : tier.tenants.map((tenant) => [tenant, name] as const),
    ),
  );
}
