import type { CaseResult, Round, Series } from './measure.ts';

const HEAD = [
  'case',
  'rps',
  'p50 ms',
  'p99 ms',
  'CPU us/req',
  'RSS MiB',
  'ratio rps',
  'ratio CPU',
  '(range)',
  'target',
  '',
];

/** Renders all results as one Markdown table: for each case the bare twin, then the gateway. */
export function renderTable(results: readonly CaseResult[]): string {
  const rows = [HEAD, ...results.flatMap(rowsOf)];
  const widths = HEAD.map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, i) => (i === 0 ? (row[i] ?? '').padEnd(width) : (row[i] ?? '').padStart(width))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  const [head = HEAD, ...rest] = rows;
  return [line(head), rule, ...rest.map(line)].join('\n');
}

/** The median of numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

function rowsOf(result: CaseResult): string[][] {
  const { title, twin: file, target } = result.case;
  if ('skipped' in result) return [[`${title}: skipped, ${result.skipped}`]];
  if ('failed' in result) return [[`${title}: FAILED, see below`]];
  const { gateway, twin } = result;
  const cpu = ratios(twin, gateway, (bare, ours) => bare.cpuUsPerRequest / ours.cpuUsPerRequest);
  const rps = ratios(twin, gateway, (bare, ours) => ours.rps / bare.rps);
  const reached = median(cpu);
  return [
    [`bare: ${file.replace('.ts', '')}`, ...numbersOf(twin), '1.00', '1.00', '', '', ''],
    [
      title,
      ...numbersOf(gateway),
      median(rps).toFixed(2),
      reached.toFixed(2),
      `${Math.min(...cpu).toFixed(2)}–${Math.max(...cpu).toFixed(2)}`,
      target.toFixed(2),
      reached >= target ? 'met' : 'below',
    ],
  ];
}

// A round is compared with the one right before it, so that the ratio is of two things that ran in the same minute.
function ratios(twin: Series, gateway: Series, of: (bare: Round, ours: Round) => number): number[] {
  return gateway.rounds.flatMap((ours, i) => {
    const bare = twin.rounds[i];
    return bare === undefined ? [] : [of(bare, ours)];
  });
}

function numbersOf({ rounds, rssBytes }: Series): string[] {
  const of = (pick: (round: Round) => number): number => median(rounds.map(pick));
  return [
    of((round) => round.rps).toFixed(0),
    of((round) => round.p50Ms).toFixed(2),
    of((round) => round.p99Ms).toFixed(2),
    of((round) => round.cpuUsPerRequest).toFixed(1),
    (rssBytes / 2 ** 20).toFixed(0),
  ];
}
