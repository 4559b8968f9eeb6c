import type { ExchangesAnswer, ListAnswer, OperationRow, RouteRow, UpstreamRow } from '../data/traffic.ts';
import { ask } from '../data/ask.ts';
import { hrefTo } from './address.ts';

/** Something that was found. */
export interface Hit {
  readonly kind: string;
  readonly name: string;
  readonly href: string;
}

const MOST = 6;

/** Looks for routes, upstreams, operations and kept requests at once; one that does not answer finds nothing. */
export async function searchFor(text: string): Promise<readonly Hit[]> {
  const q = encodeURIComponent(text);
  const found = await Promise.all([
    hits<ListAnswer<RouteRow>>(`traffic/routes?q=${q}&limit=${MOST}`, ({ rows }) =>
      rows.map(({ id, path }) => ({ kind: 'route', name: `${id}  ${path}`, href: hrefTo(['routes', id]) })),
    ),
    hits<ListAnswer<UpstreamRow>>(`traffic/upstreams?q=${q}&limit=${MOST}`, ({ rows }) =>
      rows.map(({ upstream }) => ({
        kind: 'upstream',
        name: upstream,
        href: hrefTo(['upstreams', upstream]),
      })),
    ),
    hits<ListAnswer<OperationRow>>(`traffic/operations?q=${q}&limit=${MOST}`, ({ rows }) =>
      rows.map(({ name, type }) => ({ kind: 'operation', name, href: hrefTo(['graphql', name], { type }) })),
    ),
    hits<ExchangesAnswer>(`exchanges?q=${q}&limit=${MOST}`, ({ rows }) =>
      rows.map(({ id, method, path, status }) => ({
        kind: `request, ${status}`,
        name: `${method} ${path}`,
        href: hrefTo(['requests', id]),
      })),
    ),
  ]);
  return found.flat();
}

async function hits<Answer>(path: string, read: (answer: Answer) => readonly Hit[]): Promise<readonly Hit[]> {
  try {
    return read(await ask<Answer>(path));
  } catch {
    return [];
  }
}
