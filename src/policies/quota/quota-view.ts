import type { Exchange } from '../../exchange/exchange.ts';
import type { Stage } from '../stage.ts';
import { CountingStage } from './counting.stage.ts';
import type { QuotaCount } from './quota-count.ts';
import { leftOf } from './quota-fields.ts';
import type { CompiledQuota } from './quota-plan.ts';
import { EVERYBODY, type QuotaKey } from './quota-subject.ts';

/** A route, as far as its quotas are concerned. */
export interface QuotaRoute {
  readonly id: string;
  readonly seats: { readonly [policy: string]: Stage | undefined };
}

/** A quota, and the routes that draw on it. */
export interface OfferedQuota {
  readonly quota: CompiledQuota;
  readonly routes: readonly string[];
}

/**
 * The quotas of a configuration, each once, as they are for callers of a tier. Two that count the same under different limits
 * are two.
 */
export function quotasOf(routes: readonly QuotaRoute[], tier: string | undefined): readonly OfferedQuota[] {
  const found = new Map<string, { quota: CompiledQuota; routes: string[] }>();
  for (const { id, seats } of routes) {
    const stage = seats['quota'];
    if (!(stage instanceof CountingStage)) continue;
    for (const quota of stage.plans.of(tier).quotas) {
      const { key, id: own, terms } = quota;
      const name = `${key} ${own} ${String(terms.limit)} ${terms.mode}`;
      const known = found.get(name);
      if (known === undefined) found.set(name, { quota, routes: [id] });
      else known.routes.push(id);
    }
  }
  return [...found.values()];
}

/** The tier by which routes count for a caller, where any of them has quotas. */
export function quotaTierOf(
  routes: readonly QuotaRoute[],
  exchange: Pick<Exchange, 'principal'>,
): string | undefined {
  // What says it is the same for all routes of a configuration.
  for (const { seats } of routes) {
    const stage = seats['quota'];
    if (stage instanceof CountingStage && stage.plans.hasTiers) return stage.tierOf(exchange);
  }
  return undefined;
}

/** What there is to say of a quota before anybody uses it. */
export function describedQuota({
  name,
  route,
  key,
  terms,
}: CompiledQuota): Readonly<Record<string, unknown>> {
  const { calendar, limit, mode } = terms;
  return {
    name,
    ...(route === undefined ? {} : { route }),
    key,
    window: calendar.window,
    timeZone: calendar.timeZone,
    limit,
    mode,
  };
}

/** What is counted of a quota in its window. */
export function countedQuota(quota: CompiledQuota, count: QuotaCount): Readonly<Record<string, unknown>> {
  const { start, end, used, carried } = count;
  return {
    ...describedQuota(quota),
    in: quota.terms.calendar.labelOf(start),
    used,
    carriedOver: carried,
    remaining: leftOf(count, quota.terms),
    startsAt: new Date(start * 1000).toISOString(),
    resetsAt: new Date(end * 1000).toISOString(),
  };
}

const KEY_OF: readonly (readonly [prefix: string, key: QuotaKey])[] = [
  ['tenant:', 'tenant'],
  ['key:', 'apiKey'],
];

/** Whether quotas of a key are those of a subject, or can be: who has no tenant counts as a principal. */
export function isOfSubject(key: QuotaKey, subject: string): boolean {
  if ((subject === EVERYBODY) !== (key === 'global')) return false;
  const own = KEY_OF.find(([prefix]) => subject.startsWith(prefix))?.[1];
  return own === undefined || own === key;
}
