import type { Snapshots } from '../snapshot/snapshots.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { History } from './history.ts';
import { numbersOf } from './numbers.ts';
import { routeNames, type NamedRoute } from './route-names.ts';
import { eachInSlices, firstOf } from './slices.ts';
import { Sums } from './slot-ring.ts';
import type { FlowNumbers, RouteRow } from './traffic-answers.ts';

const SLICE = 500;
/** Rows are made at most so often, whoever asks. */
const FRESH_MS = 900;
/** And so much less often for each route that somebody asks for: a row of one takes 10 µs, so that all take 2 % of a core at most. */
const FRESH_MS_OF_BUSY = 0.7;
const TEN_MINUTES_MS = 600_000;

/** The window of a list: that of all rates, or 10 min. */
export type Window = '60s' | '10m';

/** Rows of one moment. */
export interface RowTable {
  /** In the order of their paths. */
  readonly rows: readonly ListedRow[];
  readonly totals: FlowNumbers;
  /** What all of them have counted in the step of history that is not over yet. */
  readonly open: Sums;
  readonly windowMs: number;
  /** How many routes somebody has asked for in the window. */
  readonly busy: number;
}

interface KeptTable {
  readonly at: number;
  readonly table: Promise<RowTable>;
  /** For how long it is shown, in ms. */
  freshMs: number;
}

/** A row, and what it was made of. */
export interface ListedRow extends RouteRow {
  readonly name: NamedRoute;
}

/** What of a list is wanted. */
export interface RowQuery {
  readonly q?: string | undefined;
  /** A field, with a minus for the greatest first: `-p95`. Default: the path. */
  readonly sort?: string | undefined;
  /** Whether routes of one prefix are one row. */
  readonly grouped?: boolean;
  readonly window?: Window | undefined;
  readonly from: number;
  readonly limit: number;
}

/** What rows can be sorted by. */
export const ROW_SORTS = [
  'path', 'id', 'upstream', 'group', 'rps', 'errorRate', 'refusedRate', 'p50', 'p95', 'p99', 'lastSeen',
] as const; // prettier-ignore

/** The routes with their numbers. Tables are made in slices, and shared by all who ask within a second, longer where many are busy. */
export class RouteRows {
  readonly #snapshots: Snapshots;
  readonly #metrics: Metrics;
  readonly #history: History;
  readonly #tables = new Map<string, KeptTable>();
  /** Rows of routes that nobody asks for, which are most of many: made once, until somebody does. */
  readonly #idle = new WeakMap<NamedRoute, { readonly seen: number | undefined; readonly row: ListedRow }>();

  constructor(snapshots: Snapshots, metrics: Metrics, history: History) {
    this.#snapshots = snapshots;
    this.#metrics = metrics;
    this.#history = history;
  }

  /** The routes of the configuration in force. */
  names(): Promise<readonly NamedRoute[]> {
    return routeNames(this.#snapshots.current, this.#metrics);
  }

  /** One row; undefined for a route that there is not. */
  async row(id: string): Promise<ListedRow | undefined> {
    const name = indexOf(await this.names()).ids.get(id);
    return name && this.#row(name);
  }

  /** The rows of routes that may ask an upstream. */
  async asking(upstream: string): Promise<readonly ListedRow[]> {
    const rows: ListedRow[] = [];
    const names = indexOf(await this.names()).upstreams.get(upstream) ?? [];
    await eachInSlices(names, SLICE, (name) => rows.push(this.#row(name)));
    return rows;
  }

  /** All rows, as they were a moment ago: a second at most, or 0.7 ms for each busy route. */
  table(window: Window = '60s', grouped = false): Promise<RowTable> {
    const key = `${window} ${grouped}`;
    const known = this.#tables.get(key);
    const now = performance.now();
    if (known !== undefined && now - known.at < known.freshMs) return known.table;
    const table = this.#make(window, grouped);
    const kept: KeptTable = { at: now, table, freshMs: FRESH_MS };
    this.#tables.set(key, kept);
    table.then(
      ({ busy }) => (kept.freshMs = Math.max(FRESH_MS, busy * FRESH_MS_OF_BUSY)),
      () => this.#tables.delete(key),
    );
    return table;
  }

  /** A part of the rows, filtered and sorted. */
  async list({
    q,
    sort,
    grouped,
    window,
    from,
    limit,
  }: RowQuery): Promise<{ total: number; rows: ListedRow[] }> {
    const { rows } = await this.table(window, grouped);
    const words =
      q
        ?.toLowerCase()
        .split(/\s+/)
        .filter((word) => word !== '') ?? [];
    const found: ListedRow[] = [];
    await eachInSlices(rows, 4 * SLICE, (row) => {
      if (words.every((word) => fits(row, word))) found.push(row);
    });
    const wanted = Math.min(found.length, from + limit);
    const sorted =
      sort === undefined ? found.slice(0, wanted) : await firstOf(found, orderBy(sort, 'path'), wanted);
    return { total: found.length, rows: sorted.slice(from) };
  }

  async #make(window: Window, grouped: boolean): Promise<RowTable> {
    const names = await this.names();
    const sums = window === '10m' ? await this.#history.sumsOf10Minutes() : undefined;
    const { windowMs: usualMs, startedAt } = this.#history;
    const windowMs = window === '10m' ? Math.min(TEN_MINUTES_MS, Date.now() - startedAt) : usualMs;
    const [totals, open] = [new Sums(), new Sums()];
    const sumsOf = (name: NamedRoute): Sums => {
      const { flow } = name.metrics;
      if (sums === undefined || flow === undefined) return this.#history.windowOf(flow);
      const of = new Sums().addFlow(flow);
      const before = sums.get(flow.id);
      return before === undefined ? of : of.add(before);
    };
    const groups = new Map<string, Group>();
    const rows: ListedRow[] = [];
    let lastSeen: number | undefined = undefined;
    let busy = 0;
    await eachInSlices(names, SLICE, (name) => {
      const { flow } = name.metrics;
      const seen = this.#history.lastSeen(flow);
      if (seen !== undefined && (lastSeen === undefined || seen > lastSeen)) lastSeen = seen;
      // The longer window may have what the usual one has not.
      const isIdle = sums === undefined ? !this.#history.isBusy(flow) : sums.get(flow?.id ?? 0) === undefined;
      const of = isIdle && flow?.isTouched !== true ? undefined : sumsOf(name);
      if (of !== undefined) {
        busy += 1;
        totals.add(of);
      }
      if (flow?.isTouched === true) open.addFlow(flow);
      if (grouped) into(groups, name, of, seen);
      else
        rows.push(of === undefined ? this.#idleRow(name, seen) : rowOf(name, numbersOf(of, windowMs, seen)));
    });
    const grouping = [...groups.values()].map(({ name, sums: of, seen, members }) => ({
      ...rowOf(name, numbersOf(of, windowMs, seen)),
      members,
    }));
    const shown = { rows: grouped ? grouping : rows, totals: numbersOf(totals, windowMs, lastSeen) };
    return { ...shown, open, windowMs, busy };
  }

  #row(name: NamedRoute): ListedRow {
    const { flow } = name.metrics;
    if (!this.#history.isBusy(flow)) return this.#idleRow(name, this.#history.lastSeen(flow));
    return rowOf(name, this.#history.numbers(flow));
  }

  #idleRow(name: NamedRoute, seen: number | undefined): ListedRow {
    const known = this.#idle.get(name);
    if (known !== undefined && known.seen === seen) return known.row;
    const row = rowOf(name, numbersOf(NOTHING, 1000, seen));
    this.#idle.set(name, { seen, row });
    return row;
  }
}

const NOTHING = new Sums();
const OF_TEAM = 'team:';

// `team:orders` is for the routes of one team.
function fits({ name }: ListedRow, word: string): boolean {
  if (word.startsWith(OF_TEAM)) return name.team?.toLowerCase() === word.slice(OF_TEAM.length);
  return name.text.includes(word);
}

interface Group {
  readonly name: NamedRoute;
  readonly sums: Sums;
  seen: number | undefined;
  members: number;
}

/** @param sums undefined for nothing. */
function into(
  groups: Map<string, Group>,
  name: NamedRoute,
  sums: Sums | undefined,
  seen: number | undefined,
): void {
  const { group } = name;
  const known = groups.get(group);
  if (known === undefined) {
    const { team: _team, ...shared } = name;
    const whole = { ...shared, id: group, path: group, methods: '*', text: name.text };
    groups.set(group, { name: whole, sums: sums ?? new Sums(), seen, members: 1 });
    return;
  }
  if (sums !== undefined) known.sums.add(sums);
  known.members += 1;
  known.seen = Math.max(known.seen ?? 0, seen ?? 0) || undefined;
}

interface NameIndex {
  readonly ids: ReadonlyMap<string, NamedRoute>;
  /** The routes that may ask each. */
  readonly upstreams: ReadonlyMap<string, readonly NamedRoute[]>;
}

const indexes = new WeakMap<readonly NamedRoute[], NameIndex>();

function indexOf(names: readonly NamedRoute[]): NameIndex {
  let index = indexes.get(names);
  if (index === undefined) {
    const pairs = names.flatMap((name) => [...new Set(name.upstreams)].map((one) => [one, name] as const));
    const upstreams = new Map<string, NamedRoute[]>();
    for (const [one, name] of pairs) {
      const asking = upstreams.get(one);
      if (asking === undefined) upstreams.set(one, [name]);
      else asking.push(name);
    }
    indexes.set(names, (index = { ids: new Map(names.map((name) => [name.id, name])), upstreams }));
  }
  return index;
}

function rowOf(name: NamedRoute, numbers: FlowNumbers): ListedRow {
  const { id, team, path, methods, upstream, group } = name;
  return { id, ...(team !== undefined && { team }), path, methods, upstream, group, ...numbers, name };
}

/** The row without what it was made of. */
export function shownRow({ name: _name, ...row }: ListedRow): RouteRow {
  return row;
}

/**
 * An order of rows by a field of theirs, with a minus for the greatest first; what has none comes last. Equals, and rows that have
 * no such field at all, stand in the order of another field.
 */
export function orderBy<Row extends object>(
  sort: string,
  otherwise: string & keyof Row,
): (one: Row, other: Row) => number {
  const isDown = sort.startsWith('-');
  const field = (isDown ? sort.slice(1) : sort) as keyof Row;
  return (one, other) => {
    const [mine, theirs] = [one[field] ?? null, other[field] ?? null];
    if (mine === theirs) return one[otherwise] < other[otherwise] ? -1 : 1;
    if (mine === null) return 1;
    if (theirs === null) return -1;
    return (mine < theirs ? -1 : 1) * (isDown ? -1 : 1);
  };
}
