import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Metrics } from './metrics.ts';

describe('Metrics', () => {
  let metrics: Metrics;

  beforeEach(() => {
    metrics = new Metrics();
  });

  afterEach(() => {
    metrics.stop();
  });

  const series = async (start: string) =>
    (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith(start));

  it('counts requests by route, method and class of status', async () => {
    const users = metrics.forRoute('users');
    users.observe('GET', 200, 3);
    users.observe('GET', 204, 3);
    users.observe('POST', 404, 300);
    expect(await series('gatehouse_request_duration_seconds_count')).toEqual([
      'gatehouse_request_duration_seconds_count{route="users",method="GET",status="2xx"} 2',
      'gatehouse_request_duration_seconds_count{route="users",method="POST",status="4xx"} 1',
    ]);
    expect(await series('gatehouse_request_duration_seconds_sum')).toContain(
      'gatehouse_request_duration_seconds_sum{route="users",method="POST",status="4xx"} 0.3',
    );
  });

  it('lets no client make series: whatever it sends, the labels are bounded', async () => {
    const route = metrics.forRoute('r');
    for (let i = 0; i < 200; i += 1) route.observe(`METHOD-${i}`, 100 + i * 5, 1);
    for (const status of [0, 99, 700, 999]) route.observe('PURGE', status, 1);
    const lines = await series('gatehouse_request_duration_seconds_count');
    expect(lines.every((line) => line.includes('method="other"'))).toBe(true);
    const classes = lines.map((line) => /status="(\w+)"/.exec(line)?.[1]);
    expect(new Set(classes)).toEqual(new Set(['0xx', '1xx', '2xx', '3xx', '4xx', '5xx']));
  });

  it('counts attempts, decisions and sections', async () => {
    metrics.upstreams.attempted('users', '200');
    metrics.upstreams.attempted('users', 'unreachable');
    metrics.upstreams.attempted('users', 'unreachable');
    metrics.limitDecided('r', 'rejected');
    metrics.compositions.sectionEnded('homepage', 'orders', 'ok', 3);
    expect(await series('gatehouse_upstream_attempts_total')).toEqual([
      'gatehouse_upstream_attempts_total{upstream="users",outcome="200"} 1',
      'gatehouse_upstream_attempts_total{upstream="users",outcome="unreachable"} 2',
    ]);
    expect(await series('gatehouse_rate_limit_decisions_total')).toEqual([
      'gatehouse_rate_limit_decisions_total{route="r",outcome="rejected"} 1',
    ]);
    expect(await series('gatehouse_view_sections_total')).toEqual([
      'gatehouse_view_sections_total{view="homepage",section="orders",outcome="ok"} 1',
    ]);
  });

  it.each([
    ['closed', 0],
    ['half-open', 1],
    ['open', 2],
  ] as const)('shows a breaker that is %s as %i', async (state, value) => {
    metrics.breakers.changed('users', 'a:1', state);
    expect(await series('gatehouse_breaker_state')).toEqual([
      `gatehouse_breaker_state{upstream="users",target="a:1"} ${value}`,
    ]);
  });

  it('has each series once, whatever statuses there are', async () => {
    const route = metrics.forRoute('r');
    for (const status of [-1, 0, 99, 100, 500, 599, 600, 999, 1000, 99_999]) route.observe('GET', status, 1);
    const lines = await series('gatehouse_request_duration_seconds_count');
    expect(lines.map((line) => line.replace(/.*status=/, ''))).toEqual(['"0xx"} 3', '"1xx"} 1', '"5xx"} 6']);
  });

  it('says nothing of a store where there is none', async () => {
    expect(await series('# HELP gatehouse_store_up')).toEqual([]);
    expect(await series('gatehouse_store_up')).toEqual([]);
  });

  it('shows whether the store is used', async () => {
    metrics.storeChanged(true, 'limits');
    expect(await series('gatehouse_store_up')).toEqual(['gatehouse_store_up 1']);
    metrics.storeChanged(false, 'sessions');
    metrics.storeChanged(false, 'limits');
    metrics.storeChanged(true, 'limits');
    expect(await series('gatehouse_store_up')).toEqual(['gatehouse_store_up 0']);
    expect(await series('gatehouse_store_use_up')).toEqual([
      'gatehouse_store_use_up{use="limits"} 1',
      'gatehouse_store_use_up{use="sessions"} 0',
    ]);
    expect(await series('gatehouse_store_switches_total')).toEqual([
      'gatehouse_store_switches_total{use="limits",to="off"} 1',
      'gatehouse_store_switches_total{use="limits",to="on"} 1',
    ]);
    for (const why of ['late', 'refused', 'late'] as const) metrics.storeFailed(why, 'limits');
    expect(await series('gatehouse_store_failures_total')).toEqual([
      'gatehouse_store_failures_total{use="limits",why="late"} 2',
      'gatehouse_store_failures_total{use="limits",why="refused"} 1',
    ]);
  });

  it('shows the delay of the event loop while it samples', async () => {
    metrics.start();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const lines = await series('gatehouse_event_loop_delay_seconds');
    expect(lines.map((line) => line.split(' ')[0])).toEqual(
      [50, 90, 99].map((percentile) => `gatehouse_event_loop_delay_seconds{percentile="${percentile}"}`),
    );
    expect(lines.every((line) => Number(line.split(' ')[1]) >= 0)).toBe(true);
  });

  it('shares nothing with another gateway of the same process', async () => {
    new Metrics().upstreams.attempted('users', '200');
    expect(await series('gatehouse_upstream_attempts_total{')).toEqual([]);
  });
});
