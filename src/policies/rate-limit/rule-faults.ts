import type { z } from 'zod';
import type { LimitAlgorithm } from './rate-limiter.ts';
import { namedCosts, type LimitCost } from './limit-cost.schema.ts';
import { nameFault, type LimitKey } from './limit-key.schema.ts';
import type { TierLimit } from './tiers.schema.ts';

/** What of a rule can contradict itself. */
export interface CheckedRule {
  readonly name?: string | undefined;
  readonly bucket?: string | undefined;
  readonly key: LimitKey;
  readonly algorithm: LimitAlgorithm;
  readonly rate?: number | undefined;
  readonly per: number;
  readonly burst?: number | undefined;
  readonly tiers?: true | Readonly<Record<string, TierLimit>> | undefined;
  readonly overrides?: Readonly<Record<string, TierLimit>> | undefined;
  readonly cost: LimitCost;
  readonly perMessage?: number | undefined;
  readonly precision: 'exact' | 'leased';
}

/** Something wrong with a rule, below one of its keys. */
export interface RuleFault {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly suggestion?: string | undefined;
}

type Context = z.core.$RefinementCtx;

/** Where a rule stands below the policy: one alone needs no list. */
export function placeOf(rules: readonly unknown[], index: number): readonly number[] {
  return rules.length === 1 ? [] : [index];
}

/** Refuses what a rule says and what then would not be so. */
export function checkRule(rule: CheckedRule, context: Context): void {
  const { rate, burst, tiers, algorithm, precision } = rule;
  if (rate === undefined && tiers === undefined) tell(context, ['rate'], 'expected a rate, or `tiers`');
  if (algorithm !== 'tokenBucket' && burst !== undefined)
    tell(context, ['burst'], 'expected no burst: a window has room for its rate');
  if (algorithm !== 'tokenBucket' && precision !== 'exact')
    tell(context, ['precision'], 'expected `tokenBucket`: only tokens can be reserved');
  for (const fault of [...windowFaults(rule), ...costFaults(rule), ...nameFaults(rule)])
    tell(context, fault.path, fault.message, fault.suggestion);
}

/** Refuses rules of one route that cannot be told apart, or take from each other. */
export function checkRules(rules: readonly CheckedRule[], context: Context): void {
  const [names, buckets, all] = [new Set<string>(), new Set<string>(), new Set<string>()];
  rules.forEach((rule, index) => {
    const { name, bucket } = rule;
    if (isAgain(names, name))
      tell(context, [index, 'name'], 'expected another name than that of an earlier limit');
    if (isAgain(buckets, bucket))
      tell(
        context,
        [index, 'bucket'],
        'expected another bucket than that of an earlier limit: one bucket has one size',
      );
    if (isAgain(all, JSON.stringify({ ...rule, name: undefined })))
      tell(context, [index], 'expected something else than an earlier limit: it is the same once more');
  });
}

/** What a rule takes from callers of a tier that can hold less. */
export function costFaults(rule: CheckedRule): readonly RuleFault[] {
  const rooms = roomsOf(rule);
  const least = rooms.reduce<Room | undefined>(
    (one, other) => (one && one.size <= other.size ? one : other),
    undefined,
  );
  if (least === undefined) return [];
  const { cost, perMessage } = rule;
  const costs = namedCosts(cost).map(([key, tokens]) => ({
    path: ['cost', ...key],
    tokens,
    what: 'request',
  }));
  const all =
    perMessage === undefined
      ? costs
      : [...costs, { path: ['perMessage'], tokens: perMessage, what: 'message' }];
  const faults = all
    .filter(({ tokens }) => tokens > least.size)
    .map(({ path, what }) => ({ path, message: tooDear(path, what, least) }));
  const most = Math.max(...rooms.map(({ size }) => size));
  const atMost = typeof cost === 'object' && 'answerHeader' in cost ? cost.atMost : undefined;
  if (atMost === undefined || atMost <= most) return faults;
  const message = `expected at most ${most}, the burst: nobody can be charged more at once`;
  return [...faults, { path: ['cost', 'atMost'], message }];
}

interface Room {
  readonly size: number;
  /** The tier or override that it is of; undefined for that of the rule. */
  readonly of?: string;
}

function tooDear(path: readonly string[], what: string, { size, of }: Room): string {
  if (of !== undefined) return `expected at most ${size}, the burst of ${of}`;
  const expected =
    path.length === 1 && path[0] === 'cost' ? 'expected a cost of at most' : 'expected at most';
  return `${expected} the burst, otherwise no ${what} can ever pass`;
}

/** What those hold whom a rule counts, as far as the rule says it; what is too small is told at its own place. */
function roomsOf({ rate, burst, tiers, overrides = {} }: CheckedRule): readonly Room[] {
  const own = burst ?? rate;
  const limits = [
    ...Object.entries(tiers === true ? {} : (tiers ?? {})).map(
      ([name, limit]) => [`the tier \`${name}\``, limit] as const,
    ),
    ...Object.entries(overrides).map(([name, limit]) => [`\`${name}\``, limit] as const),
  ];
  return [
    ...(own === undefined ? [] : [{ size: Math.max(1, own) }]),
    ...limits.flatMap(([of, limit]) => (limit === 'off' ? [] : [{ size: limit.burst, of }])),
  ];
}

function windowFaults({ algorithm, tiers, overrides = {} }: CheckedRule): readonly RuleFault[] {
  if (algorithm === 'tokenBucket') return [];
  const groups = { tiers: tiers === true ? {} : (tiers ?? {}), overrides };
  return Object.entries(groups).flatMap(([group, limits]) =>
    Object.entries(limits).flatMap(([name, limit]) =>
      limit === 'off' || limit.burst === limit.rate
        ? []
        : [{ path: [group, name, 'burst'], message: 'expected no burst: a window has room for its rate' }],
    ),
  );
}

function nameFaults({ key, overrides = {} }: CheckedRule): readonly RuleFault[] {
  return Object.keys(overrides).flatMap((name) => {
    const fault = nameFault(key, name);
    if (fault === undefined) return [];
    return [
      { path: ['overrides', name], message: `expected ${fault.expected}`, suggestion: fault.suggestion },
    ];
  });
}

function isAgain(seen: Set<string>, one: string | undefined): boolean {
  return one !== undefined && seen.size === seen.add(one).size;
}

function tell(
  context: Context,
  path: readonly (string | number)[],
  message: string,
  suggestion?: string,
): void {
  context.addIssue({ code: 'custom', message, path: [...path], params: { suggestion } });
}
