import type { Route } from '../routing/route.ts';
import type { Limits } from './openapi.ts';

/** The limits of a route that clients have to mind; undefined when it has none. */
export function limitsOf({ policies }: Route): Limits | undefined {
  const { rateLimit, quota, bodyLimit, deadline } = policies;
  const limits: Limits = {
    ...(rateLimit === undefined ? {} : { rates: rateLimit.map(rateOf) }),
    ...quotasOf(quota),
    ...(bodyLimit === undefined ? {} : { bodyBytes: bodyLimit }),
    ...(deadline === undefined ? {} : { deadlineMs: deadline }),
  };
  return Object.keys(limits).length === 0 ? undefined : limits;
}

type Rule = NonNullable<Route['policies']['rateLimit']>[number];

function rateOf({ key, rate, per, burst, cost }: Rule): NonNullable<Limits['rates']>[number] {
  return { key, rate, perSeconds: per / 1000, burst, cost };
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
      cost,
      mode,
    })),
  };
}
