import type { Route } from '../routing/route.ts';
import type { Limits } from './openapi.ts';

/** The limits of a route that clients have to mind; undefined when it has none. */
export function limitsOf({ policies }: Route): Limits | undefined {
  const { rateLimit, bodyLimit, deadline } = policies;
  const limits: Limits = {
    ...(rateLimit === undefined ? {} : { rates: rateLimit.map(rateOf) }),
    ...(bodyLimit === undefined ? {} : { bodyBytes: bodyLimit }),
    ...(deadline === undefined ? {} : { deadlineMs: deadline }),
  };
  return Object.keys(limits).length === 0 ? undefined : limits;
}

type Rule = NonNullable<Route['policies']['rateLimit']>[number];

function rateOf({ key, rate, per, burst, cost }: Rule): NonNullable<Limits['rates']>[number] {
  return { key, rate, perSeconds: per / 1000, burst, cost };
}
