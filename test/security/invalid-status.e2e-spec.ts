import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { useShop } from '../support/shop.ts';
import { startTcpUpstream, type TcpUpstream } from '../support/upstream.ts';

let status = '200';
let odd: TcpUpstream;
beforeAll(async () => {
  odd = await startTcpUpstream((socket) => {
    socket.end(`HTTP/1.1 ${status} Odd\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`);
  });
});
afterAll(() => odd.stop());

const calm = { circuitBreaker: 'off', retry: { attempts: 1 } };
const holder = useShop({
  upstreams: () => ({ odd: { targets: [odd.url], ...calm } }),
  routes: [
    { id: 'proxied', match: { path: '/proxied' }, upstream: 'odd', policies: { authentication: 'public' } },
    {
      id: 'composed',
      match: { path: '/composed' },
      aggregate: { calls: { a: { upstream: 'odd', path: '/', required: true } } },
      policies: { authentication: 'public' },
    },
  ],
});

// What an upstream says must not make a series.
async function seriesOf(route: string): Promise<string[]> {
  const lines = (await holder.shop.metrics()).split('\n');
  return lines.filter((line) => line.startsWith(`gatehouse_request_duration_seconds_count{route="${route}"`));
}

const DOORS = ['/proxied', '/composed'];

describe('a status that is none', () => {
  it.each(DOORS.flatMap((path) => ['000', '099', '600', '999'].map((one) => [path, one] as const)))(
    'is the upstream’s fault and never passes: %s, %s',
    async (path, one) => {
      status = one;
      const answer = await holder.shop.call(path);
      expect([answer.status, answer.json()['code']]).toEqual([502, 'upstream-response-invalid']);
    },
  );

  it.each(DOORS)('makes no series of its own: %s', async (path) => {
    for (const one of ['500', '600', '999']) {
      status = one;
      await holder.shop.call(path);
    }
    const series = await seriesOf(path.slice(1));
    expect(series).toHaveLength(1);
    expect(series[0]).toContain('status="5xx"');
    expect(await holder.shop.metrics()).not.toMatch(/outcome="(?:000|099|600|999)"/);
  });

  it('is none of those that are: 599 passes', async () => {
    status = '599';
    expect((await holder.shop.call('/proxied')).status).toBe(599);
  });
});
