import type { Route, RouteChooser } from './route.ts';

/** Routes without those that are not matched but chosen, among those that match the same. */
export function withoutChosen(routes: readonly Route[]): readonly Route[] {
  const seen = new Set<RouteChooser>();
  return routes.filter(({ chooser }) => {
    if (chooser === undefined) return true;
    const isFirst = !seen.has(chooser);
    seen.add(chooser);
    return isFirst;
  });
}
