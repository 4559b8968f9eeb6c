import { percentile, type Seen } from '../steady-load.ts';
import { renderMarkdown } from '../table.ts';

/** A promise, and what became of it. */
export interface Outcome {
  readonly kept: boolean;
  readonly line: string;
}

/** What clients saw during a part of a scenario. */
export interface Part {
  readonly part: string;
  readonly seen: readonly Seen[];
}

/** What a scenario came to. */
export interface ScenarioResult {
  readonly parts: readonly Part[];
  readonly outcomes: readonly Outcome[];
}

/** How often each kind was seen. */
export function kindsOf(seen: readonly Seen[]): Readonly<Record<string, number>> {
  const kinds: Record<string, number> = {};
  for (const { kind } of seen) kinds[kind] = (kinds[kind] ?? 0) + 1;
  return kinds;
}

/** Those that were due between two moments. */
export function between(seen: readonly Seen[], from: number, to = Infinity): readonly Seen[] {
  return seen.filter(({ dueAt }) => dueAt >= from && dueAt < to);
}

/** How long an answer took for that share of requests at most, in ms. */
export function within(seen: readonly Seen[], share: number): number {
  return percentile(
    seen.map(({ ms }) => ms),
    share,
  );
}

/** Kinds with their counts, but for one. */
export function textOf(kinds: Readonly<Record<string, number>>, without = ''): string {
  const others = Object.entries(kinds).filter(([kind]) => kind !== without);
  return others.map(([kind, count]) => `${count} × ${kind}`).join(', ') || 'none';
}

/** Promises that none of some requests failed. */
export function noneFailed(seen: readonly Seen[], what = 'no request fails'): Outcome {
  const kinds = kindsOf(seen);
  const isKept = Object.keys(kinds).join() === '200';
  return { kept: isKept, line: `${what}: ${seen.length} requests, failed: ${textOf(kinds, '200')}` };
}

const HEAD = ['scenario', 'part', 'requests', '200', 'other', 'p50 ms', 'p99 ms', 'longest ms'];

/** A table of what clients saw. */
export function renderSeen(results: readonly (readonly [name: string, result: ScenarioResult])[]): string {
  const rows = results.flatMap(([name, { parts }]) =>
    parts.map(({ part, seen }, index) => {
      const kinds = kindsOf(seen);
      const times = [0.5, 0.99, 1].map((share) => within(seen, share).toFixed(1));
      const title = index === 0 ? name : '';
      return [
        title,
        part,
        String(seen.length),
        String(kinds['200'] ?? 0),
        seen.length === (kinds['200'] ?? 0) ? '' : textOf(kinds, '200'),
        ...times,
      ];
    }),
  );
  return renderMarkdown(HEAD, rows, 2);
}
