import { describe, expect, it } from '@jest/globals';
import { call } from '../support/client.ts';
import { useShop } from '../support/shop.ts';

const holder = useShop({
  upstreams: () => ({
    gone: { targets: ['http://127.0.0.1:1'], circuitBreaker: { consecutiveFailures: 2, openFor: '1h' } },
  }),
  routes: [
    { id: 'echo', match: { path: '/echo/*' }, upstream: 'echo', policies: { authentication: 'public' } },
    { id: 'gone', match: { path: '/gone' }, upstream: 'gone', policies: { authentication: 'public' } },
    {
      id: 'limited',
      match: { path: '/limited' },
      upstream: 'echo',
      policies: { authentication: 'public', rateLimit: { key: 'ip', rate: 1, per: '1d' } },
    },
  ],
});

function seriesOf(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.replace(/ [^ ]+$/, ''));
}

async function valueOf(series: string): Promise<number> {
  const line = (await holder.shop.metrics()).split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length + 1));
}

const requests = (route: string, method: string, status: string) =>
  `gatehouse_request_duration_seconds_count{route="${route}",method="${method}",status="${status}"}`;

describe('the metrics', () => {
  it('count requests and durations by route, method and status class', async () => {
    for (const method of ['GET', 'GET', 'POST']) await holder.shop.call('/echo/x', { method });
    expect(await valueOf(requests('echo', 'GET', '2xx'))).toBe(2);
    expect(await valueOf(requests('echo', 'POST', '2xx'))).toBe(1);
    await holder.shop.call('/health/live');
    expect(await valueOf(requests('health.live', 'GET', '2xx'))).toBe(1);
  });

  it('have no more series after 200 unknown paths, hosts, queries and methods', async () => {
    const odd = (i: number) => ({
      method: ['GET', 'PROPFIND', 'LOCK', 'PURGE'][i % 4],
      headers: { host: `h${i}.example.com`, 'x-request-id': `request-${i}` },
    });
    for (let i = 0; i < 4; i += 1) await holder.shop.call('/unknown', odd(i));
    const before = seriesOf(await holder.shop.metrics());
    for (let i = 0; i < 200; i += 1) await holder.shop.call(`/unknown-${i}?q${i}=1`, odd(i));
    for (let i = 0; i < 20; i += 1) await holder.shop.call(`/echo/thing-${i}`);
    const after = seriesOf(await holder.shop.metrics());
    expect(after).toEqual(before);
    expect(after.join()).not.toMatch(/unknown-\d|thing-|example\.com/);
  });

  it('tell operations of GraphQL apart, up to a number of names that clients make up', async () => {
    const ask = (query: string) =>
      holder.shop.call('/graphql', {
        method: 'POST',
        as: 'user',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      });
    for (let i = 0; i < 80; i += 1) await ask(`query Invented${i} { homepage { user { name } } }`);
    await ask('query { nothing }');
    const count = (operation: string, type: string, outcome: string) =>
      `gatehouse_graphql_operation_duration_seconds_count{operation="${operation}",type="${type}",outcome="${outcome}"}`;
    expect(await valueOf(count('Invented0', 'query', 'ok'))).toBe(1);
    expect(await valueOf(count('other', 'query', 'ok'))).toBe(30);
    expect(await valueOf(count('unknown', 'unknown', 'refused'))).toBe(1);
    expect(
      await valueOf(
        'gatehouse_graphql_errors_total{operation="unknown",type="unknown",code="request-invalid"}',
      ),
    ).toBe(1);
  });

  it('show attempts, breakers and limits', async () => {
    for (let i = 0; i < 3; i += 1) await holder.shop.call('/gone');
    for (let i = 0; i < 3; i += 1) await holder.shop.call('/limited');
    expect(await valueOf('gatehouse_upstream_attempts_total{upstream="gone",outcome="unreachable"}')).toBe(2);
    expect(await valueOf('gatehouse_breaker_state{upstream="gone",target="127.0.0.1:1"}')).toBe(2);
    expect(await valueOf('gatehouse_rate_limit_decisions_total{route="limited",outcome="allowed"}')).toBe(1);
    expect(await valueOf('gatehouse_rate_limit_decisions_total{route="limited",outcome="limited"}')).toBe(2);
    expect(await holder.shop.metrics()).toMatch(/gatehouse_event_loop_delay_seconds\{percentile="99"\} \d/);
  });

  it('are not to be had at the port of the clients, nor is anything else for operators', async () => {
    for (const path of ['/metrics', '/routes', '/admin', '/_admin/metrics']) {
      expect((await holder.shop.call(path)).status).toBe(404);
      expect(
        (await holder.shop.call(path, { headers: { host: new URL(holder.shop.gateway.adminUrl).host } }))
          .status,
      ).toBe(404);
    }
    expect((await call(`${holder.shop.gateway.adminUrl}/metrics`)).status).toBe(200);
    expect((await call(`${holder.shop.gateway.adminUrl}/echo/x`)).status).toBe(404);
  });
});
