import type { Exchange } from '../../exchange/exchange.ts';
import type { StageInput } from '../stage-factory.ts';
import { StageFault } from '../stage-fault.ts';
import { compileCost, type CompiledCost } from './limit-cost.ts';
import { keyText } from './limit-key.schema.ts';
import { compileSubject, type SubjectOf } from './limit-subject.ts';
import { LiveRules } from './live-rules.ts';
import type { NamedRule } from './rate-limit-fields.ts';
import type { RateLimitRule } from './rate-limit.policy.ts';
import type { BucketRule } from './rate-limiter.ts';
import { identitiesOf, namesOf } from './rule-identity.ts';
import { costFaults, placeOf } from './rule-faults.ts';
import { isLogged } from './sliding-log.ts';
import type { Tiers } from './tiers.schema.ts';
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
  readonly suffixes?: Pick<ReadonlyMap<BucketRule, string>, 'get'> | undefined;
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
  const [names, identities] = [namesOf(rules), identitiesOf(rules)];
  return rules.map((rule, index) => {
    const limits = compileLimits(rule, input, live);
    if (rule.tiers === true) refuseCosts(rules, index, input.tiers ?? {});
    return {
      name: names[index] ?? '',
      ...limits,
      prefix: prefixOf(rule, identities[index] ?? '', input),
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
  const suffixes = suffixesOf(all, isApart);
  // What the file says of its tiers operators can say anew, but not what a rule says of its own.
  const liveRules =
    tiers === true && limits.live !== undefined
      ? new LiveRules({
          shape,
          tiers: ofFile ?? {},
          hasOwn: own !== undefined,
          onMade: (rule) => suffixes.set(rule, suffixFor(rule, isApart)),
        })
      : undefined;
  const known: CallerLimits = { ...limits, liveRules };
  return {
    bucket,
    bucketOf: (exchange) => limitOf(known, exchange, nameOf?.(exchange) ?? ''),
    suffixes,
  };
}

// Which tiers there are is known only here.
function refuseCosts(rules: readonly RateLimitRule[], index: number, tiers: Tiers): void {
  const [fault] = costFaults({ ...(rules[index] as RateLimitRule), tiers });
  if (fault === undefined) return;
  throw new StageFault(['rateLimit', ...placeOf(rules, index), ...fault.path], fault.message);
}

/**
 * The subject stands in braces, so that all that a caller is counted under lies on one node of a cluster. No other route or rule
 * can spell the prefix: what means something in it is escaped.
 */
function prefixOf(
  { bucket, key }: RateLimitRule,
  identity: string,
  { routeId, budgetOf = routeId }: StageInput,
): string {
  const own = `${budgetOf.replaceAll('%', '%25').replaceAll(':', '%3A').replaceAll('{', '%7B')}:${identity}`;
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
): WeakMap<BucketRule, string> {
  const known = rules.filter((rule) => rule !== undefined);
  return new WeakMap(known.map((rule) => [rule, suffixFor(rule, isApart)] as const));
}

function suffixFor(rule: BucketRule, isApart: boolean): string {
  const { rate, perMs, burst } = rule;
  return suffixOf(rule) + (isApart ? `:${rate}/${perMs}/${burst}` : '');
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
