import type { Exchange } from '../../exchange/exchange.ts';
import type { StageInput } from '../stage-factory.ts';
import { compileCost, type CompiledCost } from './limit-cost.ts';
import { keyName, keyText } from './limit-key.schema.ts';
import { compileSubject, type SubjectOf } from './limit-subject.ts';
import type { NamedRule } from './rate-limit-fields.ts';
import type { RateLimitRule } from './rate-limit.policy.ts';
import type { BucketRule } from './rate-limiter.ts';
import { isLogged } from './sliding-log.ts';
import {
  limitOf,
  ruleOf,
  rulesOf,
  strictest,
  tenantsOf,
  type CallerLimits,
  type LiveTiers,
} from './tier-book.ts';

/** A rule of a route, ready to be counted. */
export interface CompiledRule extends NamedRule, CompiledCost {
  readonly subjectOf: SubjectOf;
  /** What stands before the subject in the name of its bucket, and behind it where its limit is `bucket`. */
  readonly prefix: string;
  readonly suffix: string;
  /** The same for other limits than that. */
  readonly suffixes?: ReadonlyMap<BucketRule, string> | undefined;
  /** The limit of a caller, undefined for none; absent where all have `bucket`. */
  readonly bucketOf?: ((exchange: Exchange) => BucketRule | undefined) | undefined;
  /** Tokens that a message over a forwarded socket takes; undefined for none. */
  readonly perMessage?: number | undefined;
  readonly onStoreError: RateLimitRule['onStoreError'];
  /** Whether it only counts what it would refuse. Default false. */
  readonly isShadow?: boolean;
}

/** Compiles the rules of a route; each has a name of its own. */
export function compileRules(
  rules: readonly RateLimitRule[],
  input: StageInput,
  live: () => LiveTiers | undefined,
): CompiledRule[] {
  const names = new Map<string, number>();
  return rules.map((rule, index) => {
    const called = rule.name ?? keyName(rule.key);
    const count = (names.get(called) ?? 0) + 1;
    names.set(called, count);
    const limits = compileLimits(rule, input, live);
    return {
      name: count === 1 ? called : `${called}-${String(count)}`,
      ...limits,
      prefix: prefixOf(rule, index, input),
      suffix: limits.suffixes?.get(limits.bucket) ?? suffixOf(limits.bucket),
      ...compileCost(rule.cost, input),
      subjectOf: compileSubject(rule.key, { routeId: input.routeId, params: input.pathParameters }),
      perMessage: rule.perMessage,
      onStoreError: rule.onStoreError,
      isShadow: rule.mode === 'shadow',
    };
  });
}

function compileLimits(
  { rate, per, burst, algorithm, precision, tiers, overrides, key }: RateLimitRule,
  { tiers: ofFile, routeId, pathParameters: params }: StageInput,
  live: () => LiveTiers | undefined,
): Pick<CompiledRule, 'bucket' | 'bucketOf' | 'suffixes'> {
  const shape = { algorithm, precision };
  const own = rate === undefined || burst === undefined ? undefined : ruleOf({ rate, per, burst }, shape);
  if (tiers === true && (ofFile === undefined || Object.keys(ofFile).length === 0))
    throw new Error('`tiers: true` needs `tiers` of the file, or list some in their place');
  const byTier = tiers === undefined ? undefined : rulesOf(tiers === true ? (ofFile ?? {}) : tiers, shape);
  // Fails closed: who is of no tier is not better off than who is of the lowest.
  const bucket = own ?? strictest(byTier?.values() ?? []);
  if (bucket === undefined) throw new Error('expected a rate, or a tier that has a limit');
  if (byTier === undefined && overrides === undefined) return { bucket, bucketOf: undefined };
  const limits: CallerLimits = {
    tiers: byTier,
    tenants: ofFile && tenantsOf(ofFile),
    live: byTier && live(),
    overrides: overrides && rulesOf(overrides, shape),
    other: bucket,
  };
  // Operators name a tenant, whoever vouches for it.
  const nameOf = overrides && compileSubject(key, { routeId, params }, 'named');
  const all = [bucket, ...(byTier?.values() ?? []), ...(limits.overrides?.values() ?? [])];
  const isApart = byTier !== undefined && ![key].flat().includes('principal');
  return {
    bucket,
    bucketOf: (exchange) => limitOf(limits, exchange, nameOf?.(exchange) ?? ''),
    suffixes: suffixesOf(all, isApart),
  };
}

/**
 * The subject stands in braces, so that all that a caller is counted under lies on one node of a cluster. No other route or rule
 * can spell the prefix: what means something in it is escaped.
 */
function prefixOf(
  { bucket, key }: RateLimitRule,
  index: number,
  { routeId, budgetOf = routeId }: StageInput,
): string {
  const own = `${budgetOf.replaceAll('%', '%25').replaceAll(':', '%3A').replaceAll('{', '%7B')}:${String(index)}`;
  // No route is called so: the id of a route is not empty.
  return `${bucket === undefined ? own : `:shared:${bucket}:${keyText(key)}`}:{`;
}

/**
 * What stands behind the subject in the names of buckets, by their limits. Where callers of several tiers are counted under one name,
 * each tier has a bucket of its own: a large one would be cut to the size of a small one whenever that was asked.
 */
function suffixesOf(
  rules: readonly (BucketRule | undefined)[],
  isApart: boolean,
): ReadonlyMap<BucketRule, string> {
  const known = rules.filter((rule) => rule !== undefined);
  return new Map(
    known.map((rule) => {
      const { rate, perMs, burst } = rule;
      return [rule, suffixOf(rule) + (isApart ? `:${rate}/${perMs}/${burst}` : '')] as const;
    }),
  );
}

/**
 * What stands behind the subject in the name of a bucket. A window says what it counts, because it cannot go on as another: of two
 * limits with different ones each would begin anew whenever the other was asked.
 */
function suffixOf(rule: BucketRule): string {
  const { algorithm = 'tokenBucket', perMs } = rule;
  if (algorithm === 'tokenBucket') return '}';
  return `}:${isLogged(rule) ? 'log' : algorithm}:${String(perMs)}`;
}
