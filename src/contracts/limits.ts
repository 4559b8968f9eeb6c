import { fixedCost } from '../policies/rate-limit/limit-cost.schema.ts';
import { keyName } from '../policies/rate-limit/limit-key.schema.ts';
import type { Tiers } from '../policies/rate-limit/tiers.schema.ts';
import type { Route } from '../routing/route.ts';
import type { Limits } from './openapi.ts';

/**
 * The limits of a route that clients have to mind; undefined when it has none.
 *
 * @param tiers those of the file.
 */
export function limitsOf({ policies }: Pick<Route, 'policies'>, tiers: Tiers = {}): Limits | undefined {
  const { rateLimit, quota, bodyLimit, deadline } = policies;
  // Clients are told of what can refuse them.
  const rates = rateLimit?.filter(({ mode }) => mode === 'enforce').flatMap((rule) => rateOf(rule, tiers));
  const limits: Limits = {
    ...(rates === undefined || rates.length === 0 ? {} : { rates }),
    ...quotasOf(quota),
    ...(bodyLimit === undefined ? {} : { bodyBytes: bodyLimit }),
    ...(deadline === undefined ? {} : { deadlineMs: deadline }),
  };
  return Object.keys(limits).length === 0 ? undefined : limits;
}

type Rule = NonNullable<Route['policies']['rateLimit']>[number];

function rateOf(
  { key, rate, per, burst, cost, tiers, algorithm }: Rule,
  ofFile: Tiers,
): NonNullable<Limits['rates']> {
  const shown = { key: keyName(key), perSeconds: per / 1000, cost: fixedCost(cost) || 1 };
  const own = rate === undefined || burst === undefined ? [] : [{ ...shown, rate, burst }];
  if (tiers === undefined) return own;
  const ofTiers = Object.entries(tiers === true ? ofFile : tiers).flatMap(([tier, limit]) =>
    limit === 'off'
      ? []
      : [{ ...shown, tier, rate: limit.rate, perSeconds: limit.per / 1000, burst: roomOf(limit, algorithm) }],
  );
  return [...ofTiers, ...own];
}

// A window has room for its rate.
function roomOf({ rate, burst }: { rate: number; burst: number }, algorithm: Rule['algorithm']): number {
  return algorithm === 'tokenBucket' ? burst : rate;
}

// What is only tried out is no business of clients, and what a tier has is that of its own.
function quotasOf(quotas: Route['policies']['quota'] = []): Pick<Limits, 'quotas'> {
  const told = quotas.filter(({ mode }) => mode !== 'shadow');
  if (told.length === 0) return {};
  return {
    quotas: told.map(({ name, key, limit, window, timeZone, cost, mode }) => ({
      ...(name === undefined ? {} : { name }),
      key,
      limit,
      window,
      timeZone,
      cost: fixedCost(cost) || 1,
      mode,
    })),
  };
}
