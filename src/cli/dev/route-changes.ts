import type { ListedRoute } from '../../admin/route-listing.ts';
import { renderTable } from '../table.ts';

/** What fits a terminal: who is asked, and who may ask. */
export function routeTable(routes: readonly ListedRoute[]): string {
  return renderTable(
    routes.map(({ id, methods, path, upstream, authentication }) => ({
      id,
      methods,
      path,
      upstream,
      authentication,
    })),
  );
}

/**
 * Says how one table differs from another: a line for each route that was added (`+`), removed (`-`) or changed (`~`), and of
 * one that was changed what is other. Where a route was declared does not matter, since lines move.
 */
export function routeChanges(
  before: readonly ListedRoute[],
  after: readonly ListedRoute[],
): readonly string[] {
  const [old, now] = [byName(before), byName(after)];
  const gone = [...old].filter(([name]) => !now.has(name)).map(([, route]) => `- ${titleOf(route)}`);
  const other = [...now].flatMap(([name, route]) => {
    const was = old.get(name);
    if (was === undefined) return [`+ ${titleOf(route)}`];
    const changes = differences(was, route);
    return changes.length === 0 ? [] : [`~ ${titleOf(route)}: ${changes.join(', ')}`];
  });
  return [...gone, ...other];
}

function titleOf({ methods, path, id, upstream }: ListedRoute): string {
  return `${methods} ${path}  ${id}${upstream === '-' ? '' : ` (${upstream})`}`;
}

// One id has several rows where versions and methods make several routes of one.
function byName(routes: readonly ListedRoute[]): ReadonlyMap<string, ListedRoute> {
  const named = new Map<string, ListedRoute>();
  for (const route of routes) {
    let name = route.id;
    while (named.has(name)) name += '\n';
    named.set(name, route);
  }
  return named;
}

function differences(before: ListedRoute, after: ListedRoute): string[] {
  const keys = (Object.keys(after) as (keyof ListedRoute)[]).filter((key) => key !== 'origin');
  return keys
    .filter((key) => before[key] !== after[key])
    .map((key) => `${key} ${before[key]} → ${after[key]}`);
}
