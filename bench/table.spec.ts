import { describe, expect, it } from '@jest/globals';
import { CASES, type BenchCase } from './cases.ts';
import type { Comparison, Series } from './measure.ts';
import { median, renderTable } from './table.ts';

const graphql = CASES.find(({ name }) => name === 'graphql-homepage') as BenchCase;

/** Rounds with so many requests per second and so many us of CPU for each. */
function series(...rounds: readonly (readonly [rps: number, cpuUsPerRequest: number])[]): Series {
  return {
    rounds: rounds.map(([rps, cpuUsPerRequest]) => ({
      rps,
      cpuUsPerRequest,
      requests: rps,
      p50Ms: 1,
      p99Ms: 2,
      failures: 0,
    })),
    requests: 0,
    rssBytes: 100 * 2 ** 20,
    upstreamCalls: 3,
  };
}

function table(comparison: Partial<Comparison>): string[][] {
  const whole: Comparison = {
    gateway: series([900, 110], [950, 100], [800, 200]),
    twin: series([1000, 100], [1000, 95], [1000, 100]),
    peers: [],
    note: undefined,
    ...comparison,
  };
  const text = renderTable([{ case: graphql, ...whole }]);
  return text.split('\n').map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe('the table', () => {
  it('compares the gateway with the bare twin by the median of the rounds', () => {
    const [, , bare, gateway] = table({});
    expect(bare?.slice(7)).toEqual(['1.00', '1.00', '', '', '']);
    expect(gateway?.slice(0, 7)).toEqual([graphql.title, '900', '1.00', '2.00', '110.0', '100', '3.00']);
    expect(gateway?.slice(7)).toEqual(['0.90', '0.91', '0.50–0.95', '0.90', 'met']);
  });

  it('says how the throughput compares with that of each peer', () => {
    const peers = [series([500, 200], [500, 200], [500, 200]), series([400, 300], [400, 300], [400, 300])];
    const rows = table({ peers }).slice(2);
    expect(rows.map(([name]) => name)).toEqual([
      'Apollo Server 5',
      'GraphQL Yoga 5',
      'bare: bare-homepage',
      graphql.title,
      '↳ against Apollo Server 5',
      '↳ against GraphQL Yoga 5',
    ]);
    expect(rows[0]?.slice(7)).toEqual(['0.50', '0.50', '', '', '']);
    expect(rows[4]?.slice(6)).toEqual(['', '1.80', '1.82', '1.60–1.90', '1.80 rps', 'met']);
    expect(rows[5]?.slice(6)).toEqual(['', '2.25', '2.73', '2.00–2.38', '2.50 rps', 'below']);
  });

  it('names cases that were skipped or failed', () => {
    const text = renderTable([
      { case: graphql, skipped: 'there is no redis-server' },
      { case: graphql, failed: 'no request was answered' },
    ]);
    expect(text).toContain(`${graphql.title}: skipped, there is no redis-server`);
    expect(text).toContain(`${graphql.title}: FAILED, see below`);
  });

  it('takes the middle, or the mean of the two in the middle', () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, NaN]);
  });
});
