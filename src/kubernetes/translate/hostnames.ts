/**
 * The host names that a listener and a route have in common.
 *
 * @param listener undefined for all.
 * @param route empty for all.
 * @returns undefined for none; an empty list for all.
 */
export function commonHosts(
  listener: string | undefined,
  route: readonly string[],
): readonly string[] | undefined {
  if (listener === undefined || listener === '') return route;
  if (route.length === 0) return [listener];
  const common = route.flatMap((one) => narrower(listener, one) ?? []);
  return common.length === 0 ? undefined : [...new Set(common)];
}

function narrower(a: string, b: string): string | undefined {
  if (a === b || covers(a, b)) return b;
  return covers(b, a) ? a : undefined;
}

/** Whether a name with a wildcard stands for all that another one does; the wildcard is one or more labels. */
function covers(wide: string, narrow: string): boolean {
  if (!wide.startsWith('*.')) return false;
  const suffix = wide.slice(1);
  const rest = narrow.startsWith('*.') ? narrow.slice(1) : narrow;
  return rest.endsWith(suffix) && rest.length > suffix.length;
}
