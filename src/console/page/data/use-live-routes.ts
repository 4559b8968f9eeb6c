import { useEffect, useRef } from 'preact/hooks';
import type { ListAnswer, RouteRow, StreamDict, StreamHello, StreamRow } from './traffic.ts';
import { queryText } from '../app/address.ts';
import { follow } from './stream.ts';
import { useAnswer, type Answered } from './use-answer.ts';

/** What a list of routes is asked by. */
export interface RouteListView {
  readonly q: string;
  readonly sort: string;
  readonly from: number;
  /** Whether the stream has it: neither grouped nor of another window. */
  readonly isPlain: boolean;
}

const SLOW_MS = 15_000;

/**
 * A list of routes, with numbers that come as they change. The order stays as it was asked for, so that no row moves away under a
 * pointer; it is asked for again from time to time.
 */
export function useLiveRoutes(path: string, view: RouteListView): Answered<ListAnswer<RouteRow>> {
  const answered = useAnswer<ListAnswer<RouteRow>>(path, SLOW_MS);
  const latest = useRef(answered);
  latest.current = answered;
  const { q, sort, from, isPlain } = view;
  useEffect(() => {
    if (!isPlain) return undefined;
    let dict: StreamDict = [];
    const query = queryText({ view: 'routes', q, sort, from: from || undefined, n: 100 });
    return follow(`stream${query}`, ({ name, data }) => {
      if (name === 'hello') dict = (data as StreamHello).total === undefined ? [] : dict;
      if (name === 'dict') dict = data as StreamDict;
      const { value, take } = latest.current;
      if (name === 'rows' && value)
        take({ ...value, rows: withNumbers(value.rows, dict, data as readonly StreamRow[]) });
    });
  }, [q, sort, from, isPlain]);
  return answered;
}

/** Rows with the numbers of those that have changed. */
export function withNumbers(
  rows: readonly RouteRow[],
  dict: StreamDict,
  changed: readonly StreamRow[],
): readonly RouteRow[] {
  const byId = new Map(changed.map((row) => [dict[row[0]]?.id, row]));
  return rows.map((row) => {
    const found = byId.get(row.id);
    if (found === undefined) return row;
    const [, rps, errors, refused, p50, p95, p99, state] = found;
    return { ...row, rps, errorRate: errors / 1000, refusedRate: refused / 1000, p50, p95, p99, state };
  });
}
