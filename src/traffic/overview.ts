import type { Reloads } from '../snapshot/reloads.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { cacheCountsOf } from './cache-counts.ts';
import { clientsOf } from './client-rows.ts';
import type { Range } from './history.ts';
import { brief } from './operation-rows.ts';
import { Picture } from './picture.ts';
import { ProcessLook } from './process-numbers.ts';
import { RouteRows, orderBy, shownRow, type ListedRow, type RowTable } from './route-rows.ts';
import { firstOf } from './slices.ts';
import { splitOf } from './split.ts';
import type { Traffic } from './traffic.ts';
import type {
  OverviewAnswer,
  RefusalCount,
  RouteAnswer,
  RouteRow,
  UpstreamAnswer,
} from './traffic-answers.ts';
import { MOST_SHOWN, Troubles } from './troubles.ts';
import { targetRow, upstreamRow } from './upstream-rows.ts';

const WORST = 10;
const MOST_ROUTES = 100;
const SLOWEST = 10;

/** What the pages about traffic are made of. */
export interface OverviewDeps {
  readonly traffic: Traffic;
  readonly metrics: Metrics;
  readonly snapshots: Snapshots;
  readonly reloads: Reloads;
}

/** The pages about traffic, short of HTTP. */
export class Overview {
  readonly deps: OverviewDeps;
  readonly rows: RouteRows;
  readonly troubles: Troubles;
  readonly picture: Picture;
  readonly process: ProcessLook;
  #generation = 1;
  #loadedAt: number;

  constructor(deps: OverviewDeps) {
    const { traffic, metrics, snapshots, reloads } = deps;
    this.deps = deps;
    this.rows = new RouteRows(snapshots, metrics, traffic.history);
    this.troubles = new Troubles({ snapshots, reloads, metrics });
    this.picture = new Picture({
      snapshots,
      flows: metrics.flows,
      history: traffic.history,
      rows: this.rows,
    });
    this.process = new ProcessLook(metrics);
    this.#loadedAt = reloads.loadedAt;
  }

  /** Which configuration is in force: counts up with each reload. */
  get generation(): number {
    const { loadedAt } = this.deps.reloads;
    if (loadedAt !== this.#loadedAt) {
      this.#loadedAt = loadedAt;
      this.#generation += 1;
    }
    return this.#generation;
  }

  /** How it is on the whole. */
  async whole(range: Range = '10m'): Promise<OverviewAnswer> {
    const { traffic, snapshots } = this.deps;
    const table = await this.rows.table();
    const { rows, totals, open, windowMs } = table;
    const trouble = this.troubles.all();
    return {
      at: new Date().toISOString(),
      startedAt: new Date(traffic.history.startedAt).toISOString(),
      generation: this.generation,
      windowMs,
      process: this.process.numbers(),
      totals,
      series: traffic.history.whole(range, open),
      routes: rows.length - 1,
      upstreams: snapshots.current.upstreams.all().length,
      worst: await worstOf(table),
      trouble: trouble.slice(0, MOST_SHOWN),
      troubles: trouble.length,
      kept: traffic.kept.counts,
    };
  }

  /** One route; undefined for none of that id. */
  async route(id: string, range: Range): Promise<RouteAnswer | undefined> {
    const listed = await this.rows.row(id);
    if (listed === undefined) return undefined;
    const { history, kept, clients } = this.deps.traffic;
    const { flow } = listed.name.metrics;
    const cache = cacheCountsOf(this.deps.metrics, id);
    return {
      row: shownRow(listed),
      origin: listed.name.origin,
      series: history.series(flow === undefined ? [] : [flow], range),
      split: splitOf(flow),
      refusals: refusalsOf(flow?.codesBefore, flow?.codes),
      refusalsSince: new Date(history.codesSince).toISOString(),
      clients: clientsOf(clients, id),
      ...(cache && { cache }),
      slowest: kept
        .list({ route: id, outcome: 'slow' })
        .toSorted((one, other) => other.ms - one.ms)
        .slice(0, SLOWEST)
        .map(brief),
    };
  }

  /** One upstream; undefined for none of that name. */
  async upstream(name: string, range: Range): Promise<UpstreamAnswer | undefined> {
    const { traffic, metrics, snapshots } = this.deps;
    const upstream = snapshots.current.upstreams.find(name);
    if (upstream === undefined) return undefined;
    const asking = await this.rows.asking(name);
    const flow = metrics.flows.find('upstream', name);
    return {
      row: upstreamRow(upstream, metrics.flows, traffic.history),
      series: traffic.history.series(flow === undefined ? [] : [flow], range),
      targets: upstream.targets.map((one) => targetRow(name, one, metrics.flows, traffic.history)),
      routes: (await firstOf(asking, orderBy('-rps', 'path'), MOST_ROUTES)).map(shownRow),
    };
  }
}

const worstRows = new WeakMap<RowTable, Promise<OverviewAnswer['worst']>>();

/** Those of a table, found once as long as it is shown. */
function worstOf(table: RowTable): Promise<OverviewAnswer['worst']> {
  let found = worstRows.get(table);
  if (found === undefined) worstRows.set(table, (found = findWorst(table)));
  return found;
}

async function findWorst({ rows }: RowTable): Promise<OverviewAnswer['worst']> {
  const busy = rows.filter(({ state }) => state !== 'idle');
  return {
    slow: await worst(busy, 'p95'),
    failing: await worst(busy, 'errorRate'),
    refused: await worst(busy, 'refusedRate'),
  };
}

async function worst(
  rows: readonly ListedRow[],
  field: 'p95' | 'errorRate' | 'refusedRate',
): Promise<readonly RouteRow[]> {
  const bad = rows.filter((row) => (row[field] ?? 0) > 0);
  return (await firstOf(bad, orderBy(`-${field}`, 'path'), WORST)).map(shownRow);
}

function refusalsOf(...codes: readonly (ReadonlyMap<string, number> | undefined)[]): readonly RefusalCount[] {
  const counts = new Map<string, number>();
  for (const one of codes)
    for (const [cause, count] of one ?? []) counts.set(cause, (counts.get(cause) ?? 0) + count);
  return [...counts]
    .map(([cause, count]) => {
      const [stage = '', code = cause] = cause.split(' ');
      return { stage, code, count };
    })
    .sort((one, other) => other.count - one.count);
}
