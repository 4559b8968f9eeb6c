import { describe, expect, it } from '@jest/globals';
import type { Series } from '../measure.ts';
import { PEERS_CASES, type PeersCase } from './cases.ts';
import type { EntrantResult, PeersResult } from './results.ts';
import { renderMissing, renderPeers } from './table.ts';

const plain = PEERS_CASES.find(({ name }) => name === 'plain') as PeersCase;

/** Rounds with so many us of CPU for each request. */
function series(...rounds: readonly number[]): Series {
  return {
    rounds: rounds.map((cpuUsPerRequest) => ({
      rps: 1e6 / cpuUsPerRequest,
      cpuUsPerRequest,
      requests: 1,
      p50Ms: 1,
      p99Ms: 2,
      failures: 0,
    })),
    requests: 0,
    rssBytes: 100 * 2 ** 20,
    upstreamCalls: 0,
  };
}

function result(entrants: readonly Partial<EntrantResult>[], more: Partial<PeersResult> = {}): PeersResult {
  const whole = entrants.map((one) => ({
    entrant: { server: 'envoy', target: 1.2 } as const,
    version: '1.40.0',
    series: series(),
    ...one,
  }));
  return { case: plain, gateway: series(20, 25, 40), entrants: whole, ...more };
}

function rows(...results: PeersResult[]): string[][] {
  return renderPeers(results, 'Node 26')
    .split('\n')
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

describe('the table of peers', () => {
  it('divides the CPU of a peer by that of the gateway in the same turn', () => {
    const [gateway, envoy] = rows(result([{ series: series(30, 30, 44) }]));
    expect(gateway).toEqual([
      'plain, 227 bytes of JSON', 'Gatehouse', 'Node 26', '40000', '1.00', '2.00', '25.0', '100', '1.00', '1.00', '', '', '',
    ]); // prettier-ignore
    expect(envoy).toEqual([
      '', 'Envoy', '1.40.0', '33333', '1.00', '2.00', '30.0', '100', '1.20', '1.20', '1.10–1.50', '1.20', 'met',
    ]); // prettier-ignore
  });

  it('says when a target is not reached, and has none for who has none', () => {
    const [, below, without] = rows(
      result([{ series: series(20, 25, 40) }, { series: series(10, 10, 10), entrant: { server: 'nginx' } }]),
    );
    expect(below?.slice(-3)).toEqual(['1.00–1.00', '1.20', 'below']);
    expect(without?.slice(-4)).toEqual(['0.40', '0.25–0.50', '', '']);
  });

  it('shows who was skipped or failed, and says why below, once for each', () => {
    const skipped = result([{ skipped: 'not there. What to do: get it', version: '' }]);
    const failed = result([{ failed: 'answers 200 to who has no token', entrant: { server: 'haproxy' } }]);
    expect(rows(skipped, failed).map((row) => row[3])).toEqual([
      '40000',
      'skipped, see below',
      '40000',
      'FAILED, see below',
    ]);
    expect(renderMissing([skipped, failed, skipped])).toEqual([
      'FAILED plain, HAProxy: answers 200 to who has no token',
      'skipped Envoy: not there. What to do: get it',
    ]);
  });

  it('has no ratios where the gateway itself failed', () => {
    const broken = result([{ series: series(1) }], { failed: 'no request was answered' });
    expect(rows(broken)).toHaveLength(1);
    expect(renderMissing([broken])).toEqual(['FAILED plain, gateway: no request was answered']);
  });
});
