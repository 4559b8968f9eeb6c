import type { ClientCount, ClientSketch } from './client-sketch.ts';
import type { ClientRow, ClientsAnswer, RouteAnswer } from './traffic-answers.ts';

/** Who asks most, or is refused most. */
export function clientsAnswer(
  sketch: ClientSketch,
  {
    q,
    sort = 'requests',
    from,
    limit,
  }: { q?: string | undefined; sort?: string | undefined; from: number; limit: number },
): ClientsAnswer {
  const text = q?.toLowerCase();
  const isShown = (one: ClientCount): boolean =>
    text === undefined || one.client.toLowerCase().includes(text) || one.routes.has(text);
  const field = sort === 'refused' || sort === '-refused' ? 'refused' : 'requests';
  // At most twice as many as the sketch has places, which is sorted at once.
  const all = sketch
    .all()
    .filter(isShown)
    .sort((one, other) => other[field] - one[field]);
  const rows = all.slice(from, from + limit);
  return {
    total: all.length,
    rows: rows.map(rowOf),
    ...(from + rows.length < all.length && { next: from + rows.length }),
    since: new Date(sketch.since).toISOString(),
    errorBound: rows.reduce((most, { error }) => Math.max(most, error), 0),
  };
}

/** Who asks for a route most; those that are told apart. */
export function clientsOf(sketch: ClientSketch, route: string): RouteAnswer['clients'] {
  return sketch
    .all()
    .flatMap(({ client, routes }) => {
      const of = routes.get(route);
      return of === undefined ? [] : [{ client, requests: of.requests, refused: of.refused }];
    })
    .sort((one, other) => other.requests - one.requests)
    .slice(0, 10);
}

function rowOf({ client, kind, requests, refused, routes, limitedBy, limitedAt }: ClientCount): ClientRow {
  return {
    client,
    kind,
    requests,
    refused,
    routes: [...routes]
      .map(([route, { requests: many, refused: no, left }]) => ({
        route,
        requests: many,
        refused: no,
        ...(left && { left: { ...left, at: new Date(left.at).toISOString() } }),
      }))
      .sort((one, other) => other.requests - one.requests),
    ...(limitedBy !== undefined && { limitedBy, limitedAt: new Date(limitedAt).toISOString() }),
  };
}
