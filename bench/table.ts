import type { CaseResult, Round, Series } from './measure.ts';

const HEAD = [
  'case',
  'rps',
  'p50 ms',
  'p99 ms',
  'CPU us/req',
  'RSS MiB',
  'calls/req',
  'ratio rps',
  'ratio CPU',
  '(range)',
  'target',
  '',
];

/**
 * Renders all results as one Markdown table: for each case the peers, the bare twin and the gateway, then how the
 * throughput of the gateway compares with that of each peer.
 */
export function renderTable(results: readonly CaseResult[]): string {
  return renderMarkdown(HEAD, results.flatMap(rowsOf));
}

/** Renders a Markdown table whose first `texts` columns are of texts, and all others of numbers. */
export function renderMarkdown(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  texts = 1,
): string {
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, i) => (i < texts ? (row[i] ?? '').padEnd(width) : (row[i] ?? '').padStart(width))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i < texts ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

/** The median of numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

function rowsOf(result: CaseResult): string[][] {
  const { title, twin: file, baseline, target, peers: others = [] } = result.case;
  if ('skipped' in result) return [[`${title}: skipped, ${result.skipped}`]];
  if ('failed' in result) return [[`${title}: FAILED, see below`]];
  const { gateway, twin, peers } = result;
  const named = others.flatMap((peer, i) => {
    const series = peers[i];
    return series === undefined ? [] : [{ peer, series }];
  });
  const cpu = ratios(twin, gateway, cpuRatio);
  return [
    ...named.map(({ peer, series }) => [
      peer.title,
      ...numbersOf(series),
      ...ratiosTo(twin, series),
      '',
      '',
      '',
    ]),
    [baseline?.title ?? `bare: ${file.replace('.ts', '')}`, ...numbersOf(twin), '1.00', '1.00', '', '', ''],
    [title, ...numbersOf(gateway), ...ratiosTo(twin, gateway), rangeOf(cpu), ...verdict(cpu, target)],
    ...named.map(({ peer, series }) => {
      const rps = ratios(series, gateway, rpsRatio);
      const numbers = numbersOf(gateway).map(() => '');
      const [reached, met] = verdict(rps, peer.target, ' rps');
      return [
        `↳ against ${peer.title}`,
        ...numbers,
        ...ratiosTo(series, gateway),
        rangeOf(rps),
        reached,
        met,
      ];
    }),
  ];
}

/** CPU per request of somebody, divided by ours. */
export const cpuRatio = (theirs: Round, ours: Round): number => theirs.cpuUsPerRequest / ours.cpuUsPerRequest;
/** Our requests per second, divided by somebody's. */
export const rpsRatio = (theirs: Round, ours: Round): number => ours.rps / theirs.rps;

function ratiosTo(theirs: Series, ours: Series): [rps: string, cpu: string] {
  return [
    median(ratios(theirs, ours, rpsRatio)).toFixed(2),
    median(ratios(theirs, ours, cpuRatio)).toFixed(2),
  ];
}

/** The smallest and the largest of numbers. */
export function rangeOf(numbers: readonly number[]): string {
  return `${Math.min(...numbers).toFixed(2)}–${Math.max(...numbers).toFixed(2)}`;
}

/** A target, and whether the median of numbers reaches it. */
export function verdict(
  numbers: readonly number[],
  target: number | undefined,
  unit = '',
): [target: string, met: string] {
  if (target === undefined) return ['', ''];
  return [target.toFixed(2) + unit, median(numbers) >= target ? 'met' : 'below'];
}

/** One ratio per turn: rounds are compared with those of the same turn, which ran in the same minute. */
export function ratios(them: Series, us: Series, of: (theirs: Round, ours: Round) => number): number[] {
  return us.rounds.flatMap((ours, i) => {
    const theirs = them.rounds[i];
    return theirs === undefined ? [] : [of(theirs, ours)];
  });
}

function numbersOf(series: Series): string[] {
  return [...measuredOf(series), series.upstreamCalls.toFixed(2)];
}

/** Requests per second, p50 and p99 in ms, CPU in us per request, memory in MiB: of the median round. */
export function measuredOf({ rounds, rssBytes }: Pick<Series, 'rounds' | 'rssBytes'>): string[] {
  const of = (pick: (round: Round) => number): number => median(rounds.map(pick));
  return [
    of((round) => round.rps).toFixed(0),
    of((round) => round.p50Ms).toFixed(2),
    of((round) => round.p99Ms).toFixed(2),
    of((round) => round.cpuUsPerRequest).toFixed(1),
    (rssBytes / 2 ** 20).toFixed(0),
  ];
}
