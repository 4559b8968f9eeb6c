import { isIn } from '../exchange/subset.ts';
import type { Rollouts } from '../canary/rollouts.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { UpstreamAsked } from '../upstreams/overrides/ejection-fault.ts';

type Labels = Readonly<Record<string, string>>;

/**
 * Parts of an upstream that routes go to and to no other target of it: subsets that fall back to none, and what a canary leaves
 * its stable side. A canary whose targets are gone is asked no more, so that they may go.
 */
export function askedParts(
  name: string,
  { table, source, upstreams }: Pick<Snapshot, 'table' | 'source' | 'upstreams'>,
  rollouts: Pick<Rollouts, 'list'>,
): readonly UpstreamAsked[] {
  const parts = new Map<string, UpstreamAsked>();
  const add = (route: string, labels: Labels, isWithout = false): void => {
    const words = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    const what = `${isWithout ? 'without ' : ''}${words.toSorted().join(',')}`;
    if (parts.has(what)) return;
    const takes = (given: Labels): boolean => isIn({ labels }, given) !== isWithout;
    parts.set(what, { what: `${what} that ${route} goes to`, takes });
  };
  const { subset, subsetFallback } = upstreams.find(name)?.options ?? {};
  if (subset !== undefined && subsetFallback !== 'any')
    add('every route without a subset of its own', subset);
  for (const route of table.routes)
    if (route.upstream === name && route.subset?.fallback === 'none')
      add(`the route ${route.id}`, route.subset.labels);
  for (const { plan, weight } of rollouts.list()) {
    const route = source.value.routes.find(({ id }) => id === plan.route);
    const { to } = (route?.['canary'] ?? {}) as { readonly to?: Labels };
    if (route?.upstream === name && to !== undefined && weight < 1) add(`the route ${plan.route}`, to, true);
  }
  return [...parts.values()];
}
