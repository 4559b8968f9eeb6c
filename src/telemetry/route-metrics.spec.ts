import { beforeEach, describe, expect, it } from '@jest/globals';
import { Metrics } from './metrics.ts';
import type { RouteMetrics } from './route-metrics.ts';

let metrics: Metrics;
let route: RouteMetrics;

beforeEach(() => {
  metrics = new Metrics();
  route = metrics.forRoute('a');
});

const lines = async (start: string): Promise<readonly string[]> =>
  (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith(start));

describe('the metrics of a route', () => {
  it('count requests by method and code, and their durations by class', async () => {
    route.observe('GET', 200, 4);
    route.observe('GET', 204, 4);
    route.observe('POST', 503, 4);
    expect(await lines('gatehouse_requests_total')).toEqual([
      'gatehouse_requests_total{route="a",method="GET",code="200"} 1',
      'gatehouse_requests_total{route="a",method="GET",code="204"} 1',
      'gatehouse_requests_total{route="a",method="POST",code="503"} 1',
    ]);
    expect(await lines('gatehouse_request_duration_seconds_count')).toEqual([
      'gatehouse_request_duration_seconds_count{route="a",method="GET",status="2xx"} 2',
      'gatehouse_request_duration_seconds_count{route="a",method="POST",status="5xx"} 1',
    ]);
  });

  it('have no series that a client could make', async () => {
    for (const method of ['PROPFIND', 'BREW', '__proto__']) route.observe(method, 200, 1);
    for (const status of [0, 99, 600, 999]) route.observe('GET', status, 1);
    expect(await lines('gatehouse_requests_total')).toEqual([
      'gatehouse_requests_total{route="a",method="other",code="200"} 3',
      'gatehouse_requests_total{route="a",method="GET",code="other"} 4',
    ]);
    const classes = (await lines('gatehouse_request_duration_seconds_count')).map((line) => /status="(\w+)"/.exec(line)?.[1]);
    expect(classes).toEqual(['2xx', '0xx', '5xx']);
  }); // prettier-ignore

  it('tell refusals for want of capacity from faults', async () => {
    route.observe('GET', 503, 1, true);
    route.observe('GET', 503, 1);
    expect(await lines('gatehouse_request_duration_seconds_count')).toEqual([
      'gatehouse_request_duration_seconds_count{route="a",method="GET",status="refused"} 1',
      'gatehouse_request_duration_seconds_count{route="a",method="GET",status="5xx"} 1',
    ]);
  });

  it('count bytes, where there are any, and problems by what has said no', async () => {
    route.sent(0);
    expect(await lines('gatehouse_response_bytes_total{')).toEqual([]);
    route.sent(10);
    route.sent(5);
    route.refused('limit', 'rate-limited');
    expect(await lines('gatehouse_response_bytes_total{')).toEqual(['gatehouse_response_bytes_total{route="a"} 15']);
    expect(await lines('gatehouse_problems_total{')).toEqual(['gatehouse_problems_total{route="a",stage="limit",code="rate-limited"} 1']);
  }); // prettier-ignore
});
