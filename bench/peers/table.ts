import {
  cpuRatio,
  measuredOf,
  median,
  rangeOf,
  ratios,
  renderMarkdown,
  rpsRatio,
  verdict,
} from '../table.ts';
import type { EntrantResult, PeersResult } from './results.ts';
import { SERVERS } from './servers.ts';

const HEAD = [
  'case',
  'server',
  'version',
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
const TEXT_COLUMNS = 3;

/**
 * Renders all results as one Markdown table: for each case the gateway, then everybody it was measured against. A ratio
 * of CPU is theirs divided by the gateway's, so that above 1 the gateway is cheaper.
 */
export function renderPeers(results: readonly PeersResult[], gatewayVersion: string): string {
  return renderMarkdown(
    HEAD,
    results.flatMap((result) => rowsOf(result, gatewayVersion)),
    TEXT_COLUMNS,
  );
}

/** What was skipped or failed, a line each: who in which case, why, and what to do. */
export function renderMissing(results: readonly PeersResult[]): string[] {
  const lines = results.flatMap(({ case: { name }, entrants, failed, note }) => [
    ...(failed === undefined ? [] : [`FAILED ${name}, gateway: ${failed}`]),
    ...(note === undefined ? [] : [`${name}: ${note}`]),
    ...entrants.flatMap((one) =>
      one.failed === undefined ? [] : [`FAILED ${name}, ${titleOf(one)}: ${one.failed}`],
    ),
  ]);
  const skipped = results.flatMap(({ entrants }) =>
    entrants.flatMap((one) => (one.skipped === undefined ? [] : [`skipped ${titleOf(one)}: ${one.skipped}`])),
  );
  return [...lines, ...new Set(skipped)];
}

function rowsOf({ case: { title }, gateway, entrants, failed }: PeersResult, version: string): string[][] {
  if (failed !== undefined) return [[title, 'Gatehouse', version, 'FAILED, see below']];
  return [
    [title, 'Gatehouse', version, ...measuredOf(gateway), '1.00', '1.00'],
    ...entrants.map((one) => rowOf(one, gateway)),
  ];
}

function rowOf(one: EntrantResult, gateway: PeersResult['gateway']): string[] {
  const start = ['', titleOf(one), one.version];
  if (one.failed !== undefined) return [...start, 'FAILED, see below'];
  if (one.skipped !== undefined) return [...start, 'skipped, see below'];
  const cpu = ratios(one.series, gateway, cpuRatio);
  const rps = median(ratios(one.series, gateway, rpsRatio)).toFixed(2);
  const measured = [...measuredOf(one.series), rps, median(cpu).toFixed(2), rangeOf(cpu)];
  return [...start, ...measured, ...verdict(cpu, one.entrant.target)];
}

function titleOf({ entrant }: EntrantResult): string {
  return SERVERS[entrant.server].title;
}
