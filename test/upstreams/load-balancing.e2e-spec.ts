import { describe, expect, it } from '@jest/globals';
import { useShop } from '../support/shop.ts';

const route = (id: string, upstream: string) => ({
  id,
  match: { path: `/${id}/*` },
  upstream,
  rewrite: { stripPrefix: `/${id}` },
  policies: { authentication: 'public' },
});

const holder = useShop({
  routes: [route('turns', 'turns'), route('weighted', 'weighted'), route('least', 'least')],
  upstreams: (services) => {
    const [one, two] = [services['users-1'].url, services['users-2'].url];
    return {
      turns: { targets: [one, two] },
      weighted: { targets: [{ url: one, weight: 3 }, two] },
      least: { targets: [one, two], balancing: 'leastRequests' },
    };
  },
});

async function servedBy(path: string): Promise<string> {
  return String((await holder.shop.call(path)).headers['x-served-by']);
}

async function share(path: string, requests: number): Promise<number> {
  let first = 0;
  for (let i = 0; i < requests; i += 1) first += (await servedBy(path)) === 'users-1' ? 1 : 0;
  return first;
}

describe('load balancing over two instances', () => {
  it('takes turns', async () => {
    expect(await share('/turns/users/1', 10)).toBe(5);
  });

  it('goes by weight', async () => {
    expect(await share('/weighted/users/1', 12)).toBe(9);
  });

  it('sends nothing more to an instance that is still busy, with least requests', async () => {
    const { services } = holder.shop;
    await services['users-1'].fault({ slow: 1500 });
    const slow = [servedBy('/least/users/1'), servedBy('/least/users/1')];
    const fast = await Promise.race(slow);
    expect(fast).toBe('users-2');
    expect(await share('/least/users/1', 5)).toBe(0);
    await services['users-1'].fault('none');
    expect((await Promise.all(slow)).sort()).toEqual(['users-1', 'users-2']);
  });

  it('tries another instance when one is dead, and the client does not notice', async () => {
    const { services } = holder.shop;
    await services['users-1'].fault('dead');
    for (let i = 0; i < 4; i += 1) expect(await servedBy('/turns/users/1')).toBe('users-2');
    await services['users-1'].fault('none');
    const lines = await holder.shop.gateway.linesWhere(
      (line) => (line['attempts'] as unknown[] | undefined)?.length === 2,
    );
    expect(lines[0]?.['attempts']).toMatchObject([
      { target: new URL(services['users-1'].url).host, outcome: expect.stringMatching(/unreachable|reset/) },
      { target: new URL(services['users-2'].url).host, outcome: '200' },
    ]);
  });

  it('never sends a request twice that is not idempotent', async () => {
    const { services } = holder.shop;
    await services['users-1'].fault('unavailable');
    await services['users-2'].fault('unavailable');
    const before = services['users-1'].requests.total + services['users-2'].requests.total;
    const answer = await holder.shop.call('/turns/users', { method: 'POST', body: '{}' });
    expect(answer.status).toBe(503);
    expect(services['users-1'].requests.total + services['users-2'].requests.total).toBe(before + 1);
  });
});
