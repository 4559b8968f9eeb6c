import type { Overview } from '../overview.ts';
import { shownRow } from '../route-rows.ts';
import type { StreamRow } from '../traffic-answers.ts';
import type { Range } from '../history.ts';
import type { ViewContent } from './live-view.ts';

/** What of the traffic is shown live. */
export interface ViewQuery {
  readonly view: 'overview' | 'routes' | 'picture' | 'route' | 'upstream' | 'process';
  /** Of a route or an upstream: which. */
  readonly id?: string | undefined;
  readonly q?: string | undefined;
  readonly sort?: string | undefined;
  readonly group?: 'prefix' | undefined;
  readonly select?: string | undefined;
  readonly range: Range;
  readonly from: number;
  readonly n: number;
}

/** How often a view is made, in seconds. */
export const EVERY_S: Readonly<Record<ViewQuery['view'], number>> = {
  overview: 1,
  routes: 1,
  route: 1,
  upstream: 1,
  picture: 2,
  process: 5,
};

/** Makes what a view shows; undefined where there is no such route or upstream any more. */
export async function contentOf(overview: Overview, query: ViewQuery): Promise<ViewContent | undefined> {
  const { view, id = '', range, select } = query;
  switch (view) {
    case 'overview':
      return { whole: await overview.whole(range) };
    case 'picture':
      return { whole: await overview.picture.draw(select) };
    case 'process':
      return { whole: overview.process.numbers() };
    case 'route':
      return wholeOf(await overview.route(id, range));
    case 'upstream':
      return wholeOf(await overview.upstream(id, range));
    case 'routes':
      return rowsOf(overview, query);
  }
}

function wholeOf(whole: object | undefined): ViewContent | undefined {
  return whole && { whole };
}

async function rowsOf(overview: Overview, { q, sort, group, from, n }: ViewQuery): Promise<ViewContent> {
  const { total, rows } = await overview.rows.list({ q, sort, grouped: group === 'prefix', from, limit: n });
  const dict = rows.map((row) => {
    const { id, path, methods, upstream, group: prefix } = shownRow(row);
    return { id, path, methods, upstream, group: prefix };
  });
  const shown = rows.map((row, index): StreamRow => [
    index,
    row.rps,
    Math.round(row.errorRate * 1000),
    Math.round(row.refusedRate * 1000),
    row.p50,
    row.p95,
    row.p99,
    row.state,
  ]);
  return { dict, rows: shown, total };
}
