import { fixedCost } from '../policies/rate-limit/limit-cost.schema.ts';
import { keyName } from '../policies/rate-limit/limit-key.schema.ts';
import type { Route } from '../routing/route.ts';
import type { Limits } from './openapi.ts';

/** The limits of a route that clients have to mind; undefined when it has none. */
export function limitsOf({ policies }: Route): Limits | undefined {
  const { rateLimit, bodyLimit, deadline } = policies;
  // Clients are told of what can refuse them.
  const rates = rateLimit?.filter(({ mode }) => mode === 'enforce').flatMap(rateOf);
  const limits: Limits = {
    ...(rates === undefined || rates.length === 0 ? {} : { rates }),
    ...(bodyLimit === undefined ? {} : { bodyBytes: bodyLimit }),
    ...(deadline === undefined ? {} : { deadlineMs: deadline }),
  };
  return Object.keys(limits).length === 0 ? undefined : limits;
}

type Rule = NonNullable<Route['policies']['rateLimit']>[number];

function rateOf({ key, rate, per, burst, cost, tiers }: Rule): NonNullable<Limits['rates']> {
  const shown = { key: keyName(key), perSeconds: per / 1000, cost: fixedCost(cost) || 1 };
  const own = rate === undefined || burst === undefined ? [] : [{ ...shown, rate, burst }];
  if (tiers === undefined || tiers === true) return own;
  const ofTiers = Object.entries(tiers).flatMap(([tier, limit]) =>
    limit === 'off'
      ? []
      : [{ ...shown, tier, rate: limit.rate, perSeconds: limit.per / 1000, burst: limit.burst }],
  );
  return [...ofTiers, ...own];
}
