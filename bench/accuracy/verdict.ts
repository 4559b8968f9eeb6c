import { renderMarkdown } from '../table.ts';
import { PRECISIONS, type Counts, type Precision } from './load.ts';

/** What each key may do. */
export interface Limit {
  /** Requests a second. */
  readonly rate: number;
  readonly burst: number;
}

/** A promise, and what became of it. */
export interface Kept {
  readonly kept: boolean;
  readonly line: string;
}

/** How far from what a limit allows may be let pass. */
const BOUNDS: Readonly<Record<Precision, { readonly least: number; readonly most: number }>> = {
  exact: { least: 0.995, most: 1.005 },
  leased: { least: 0.97, most: 1 },
};
/** Less load than this many times the limit proves nothing. */
const LEAST_LOAD = 2;

/** What a limit allows from the first request of a key to its last answer. */
export function allowed({ firstAt, lastAt }: Counts, { rate, burst }: Limit): number {
  return burst + (rate * (lastAt - firstAt)) / 1000;
}

/** Of requests for which Redis was too slow: a machine with few cores stalls at times. */
const MOST_UNDECIDED = 0.005;

/** A promise for each precision, by its worst keys. */
export function judge(counts: readonly Counts[], limit: Limit): readonly Kept[] {
  return PRECISIONS.flatMap((precision) => {
    const keys = counts.filter((one) => one.precision === precision);
    const shares = keys.map((one) => one.admitted / allowed(one, limit));
    const { least, most } = BOUNDS[precision];
    const [lowest, highest] = [Math.min(...shares), Math.max(...shares)];
    const load = Math.min(...keys.map((one) => one.asked / allowed(one, limit)));
    const [other, asked] = [sumOf(keys, 'other'), sumOf(keys, 'asked')];
    return [
      {
        kept: lowest >= least && highest <= most,
        line: `${precision}: each key is let pass ${percent(least)} to ${percent(most)} of limit and burst: ${percent(lowest)} to ${percent(highest)}`,
      },
      {
        kept: load >= LEAST_LOAD,
        line: `${precision}: each key has asked for ${load.toFixed(2)} times as much`,
      },
      {
        kept: other <= MOST_UNDECIDED * asked,
        line: `${precision}: all but ${percent(MOST_UNDECIDED)} are let pass or refused: ${other} of ${asked}`,
      },
    ];
  });
}

function sumOf(counts: readonly Counts[], name: 'other' | 'asked'): number {
  return counts.reduce((sum, one) => sum + one[name], 0);
}

/** A table with a row for each key. */
export function renderCounts(counts: readonly Counts[], limit: Limit): string {
  const rows = counts.map((one) => {
    const most = allowed(one, limit);
    const { precision, key, asked, admitted, refused, other } = one;
    const numbers = [asked, admitted, refused, other].map(String);
    return [precision, key, ...numbers, most.toFixed(1), percent(admitted / most)];
  });
  return renderMarkdown(
    ['precision', 'key', 'asked', 'passed', 'refused', 'other', 'allowed', 'share'],
    rows,
    2,
  );
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
