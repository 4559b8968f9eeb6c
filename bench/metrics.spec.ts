import { describe, expect, it } from '@jest/globals';
import { requestsOf, sumOf, upstreamCallsOf } from './metrics.ts';

const METRICS = `# HELP gatehouse_upstream_attempts_total Calls to targets of an upstream, by what came back.
# TYPE gatehouse_upstream_attempts_total counter
gatehouse_upstream_attempts_total{upstream="users",outcome="200"} 10
gatehouse_upstream_attempts_total{upstream="feed",outcome="200"} 12
gatehouse_upstream_attempts_total{upstream="feed",outcome="upstream-timeout"} 3
gatehouse_upstream_attempts_total{upstream="feed",outcome="client-closed"} 2
gatehouse_upstream_attempts_total{upstream="notifications",outcome="OK"} 1e+1
gatehouse_request_duration_seconds_bucket{route="graphql",method="POST",status="2xx",le="+Inf"} 11
gatehouse_request_duration_seconds_count{route="graphql",method="POST",status="2xx"} 11
gatehouse_request_duration_seconds_count{route="graphql",method="POST",status="4xx"} 1
gatehouse_request_duration_seconds_count{route="users",method="GET",status="2xx"} 5
`;

describe('the metrics of a gateway', () => {
  it('are added up over the series of a metric', () => {
    expect(sumOf(METRICS, 'gatehouse_upstream_attempts_total')).toBe(37);
    expect(sumOf(METRICS, 'gatehouse_upstream_attempts_total', 'upstream="feed"')).toBe(17);
    expect(sumOf(METRICS, 'gatehouse_upstream_attempts')).toBe(0);
  });

  it('tell how many calls were made over both protocols, and which of them failed', () => {
    expect(upstreamCallsOf(METRICS)).toEqual({ all: 37, failed: 3 });
  });

  it('tell how many requests a route had, whatever came of them', () => {
    expect(requestsOf(METRICS, 'graphql')).toBe(12);
  });
});
